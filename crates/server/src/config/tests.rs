use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn every_flag_has_an_environment_variable() {
    fn check(command: &clap::Command) {
        for argument in command
            .get_arguments()
            .filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
        {
            let variable = argument
                .get_env()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let flag = argument.get_long().unwrap();
            let own = format!("BOOKABLE_{}", flag.to_uppercase().replace('-', "_"));
            assert!(
                variable == own || (flag, variable) == ("database-url", "DATABASE_URL"),
                "--{flag}: {variable}"
            );
        }
        command.get_subcommands().for_each(check);
    }
    let command = Cli::command();
    command.clone().debug_assert();
    check(&command);
}

#[test]
fn what_is_wrong_is_named_with_what_was_expected() {
    let wrong = [
        (
            "bookable serve --clock tomorrow",
            "--clock",
            "2027-03-01T09:00:00Z",
        ),
        (
            "bookable serve --clock 1969-12-31T00:00:00Z",
            "--clock",
            "1970",
        ),
        ("bookable serve --listen 8080", "--listen", "127.0.0.1:8080"),
        (
            "bookable serve --listen localhost:http",
            "--listen",
            "a port",
        ),
        (
            "bookable serve --max-connections 1",
            "--max-connections",
            "2..=1000",
        ),
        (
            "bookable serve --smtp-security ssl",
            "--smtp-security",
            "starttls",
        ),
        (
            "bookable token create --business s --role boss",
            "--role",
            "manager",
        ),
        (
            "bookable token create --business s --role provider",
            "--provider",
            "required",
        ),
        ("bookable serve --log-format xml", "--log-format", "json"),
    ];
    for (line, flag, expected) in wrong {
        let text = parse(line).unwrap_err().to_string();
        assert!(
            text.contains(flag) && text.contains(expected),
            "{line}: {text}"
        );
    }
}

#[test]
fn origins_are_separated_by_commas_or_repeated() {
    let http = |line: &str| match parse(line).unwrap().command {
        Command::Serve(args) => args.http(),
        other => panic!("{other:?}"),
    };
    let two = http("bookable serve --cors-origin https://a.example,https://b.example")
        .unwrap()
        .cors;
    let again =
        http("bookable serve --cors-origin https://a.example --cors-origin https://b.example")
            .unwrap()
            .cors;
    assert_eq!(two, again);
    assert!(matches!(two, Cors::Only(list) if list.len() == 2));
    let refused = http("bookable serve --cors-origin a.example")
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("--cors-origin") && refused.contains("https://www.example.com"),
        "{refused}"
    );
}

#[test]
fn an_empty_address_of_a_database_is_none() {
    let Command::Migrate(args) = parse("bookable migrate --database-url ").unwrap().command else {
        panic!()
    };
    assert_eq!(args.url(), None);
}

#[test]
fn private_hosts_are_allowed_by_name_only() {
    let allowed = |line: &str| match parse(line).unwrap().command {
        Command::Serve(args) => args.engine.allow_private_hosts,
        Command::Work(args) => args.allow_private_hosts,
        other => panic!("{other:?}"),
    };
    for command in ["bookable serve", "bookable work"] {
        assert!(!allowed(command));
        assert!(allowed(&format!("{command} --allow-private-hosts")));
    }
}
