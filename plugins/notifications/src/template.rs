//! Texts that a business wrote: Jinja2's language, as much of it as a message needs, and no more than it can cost.
//!
//! Guaranteed: filling one in ends soon, takes little memory and answers little text, whatever it says. So there are variables, conditions,
//! loops over what is given, and a few filters; nothing that remembers (`set`), multiplies (`*`), or defines.

use std::io::{self, Write};

use minijinja::{Environment, Error, UndefinedBehavior, Value};
use plugin_api::TemplateProblem;

/// The longest template, in characters.
pub const LENGTH_MAX: usize = 8_000;
/// The longest message, in bytes.
const OUTPUT_MAX: usize = 64 * 1024;
/// How much may be done to fill one in.
const FUEL: u64 = 20_000;
/// How deep it may be nested.
const DEPTH_MAX: usize = 20;

/// The tags that a template may have.
const TAGS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// Where templates of businesses are filled in.
pub fn environment() -> Environment<'static> {
    use minijinja::filters;
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH_MAX);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("length", filters::length);
    environment.add_filter("first", filters::first);
    environment.add_filter("default", filters::default);
    environment
}

/// A template filled in.
pub fn fill(environment: &Environment<'static>, text: &str, view: &Value) -> Result<String, Error> {
    let template = environment.template_from_str(text)?;
    let mut output = Bounded(Vec::new());
    template.render_captured_to(view, &mut output)?;
    Ok(String::from_utf8_lossy(&output.0).into_owned())
}

/// What is wrong with a template by itself, whatever it is filled in with.
pub fn problems(
    environment: &Environment<'static>,
    text: &str,
    known: &[&str],
) -> Vec<TemplateProblem> {
    let length = text.chars().count();
    if length > LENGTH_MAX {
        let message = format!("must be at most {LENGTH_MAX} characters long, not {length}");
        return vec![TemplateProblem {
            line: None,
            message,
        }];
    }
    if let Some(problem) = forbidden(text) {
        return vec![problem];
    }
    let template = match environment.template_from_str(text) {
        Ok(template) => template,
        Err(error) => return vec![problem(&error)],
    };
    let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    unknown.retain(|name| !known.contains(&name.as_str()) && name != "loop");
    unknown.sort();
    let place = |name: String| TemplateProblem {
        line: line_of(text, &name),
        message: format!("`{name}` is not a variable; there are {}", known.join(", ")),
    };
    unknown.into_iter().map(place).collect()
}

/// An error of the template language as a problem.
pub fn problem(error: &Error) -> TemplateProblem {
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateProblem {
        line: error.line().and_then(|line| u32::try_from(line).ok()),
        message,
    }
}

/// The first thing in a template that could cost more than a message is worth.
fn forbidden(text: &str) -> Option<TemplateProblem> {
    let mut rest = text;
    let at = |rest: &str, message: String| {
        let before = text.len() - rest.len();
        let lines = text.get(..before).unwrap_or_default().matches('\n').count();
        Some(TemplateProblem {
            line: u32::try_from(lines + 1).ok(),
            message,
        })
    };
    while let Some(start) = rest.find('{') {
        rest = rest.get(start + 1..)?;
        match rest.chars().next() {
            Some('#') => rest = rest.split_once("#}").map_or("", |(_, after)| after),
            Some('%') => {
                let inside = rest.get(1..)?.trim_start_matches(['-', '+']).trim_start();
                let is_letter = |c: char| c.is_alphanumeric() || c == '_';
                let word: String = inside.chars().take_while(|c| is_letter(*c)).collect();
                if !TAGS.contains(&word.as_str()) {
                    let known = TAGS.join(", ");
                    return at(
                        rest,
                        format!("`{word}` is not a tag of templates here; there are {known}"),
                    );
                }
                if word == "for" && !is_over_rows(inside) {
                    let message = "a loop here is written `{% for row in rows %}`".to_owned();
                    return at(rest, message);
                }
                match end_of_tag(inside, "%}") {
                    Ok(end) => rest = end,
                    Err((place, message)) => return at(place, message),
                }
            }
            Some('{') => match end_of_tag(rest.get(1..)?, "}}") {
                Ok(end) => rest = end,
                Err((place, message)) => return at(place, message),
            },
            _ => {}
        }
    }
    None
}

/// Whether a loop goes over the facts and nothing else: one over what a template makes up could double it with every loop inside another.
fn is_over_rows(inside: &str) -> bool {
    let tag = inside.split_once("%}").map_or(inside, |(tag, _)| tag);
    let words: Vec<&str> = tag
        .trim_end_matches(['-', '+'])
        .split_whitespace()
        .collect();
    let is_name = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    matches!(words.as_slice(), ["for", name, "in", "rows"] if is_name(name))
}

/// What stands behind a tag; or what in it is not to be there, and where. Quoted text is passed over, as the language itself does.
fn end_of_tag<'a>(inside: &'a str, closer: &str) -> Result<&'a str, (&'a str, String)> {
    let mut quoted = None;
    let mut escaped = false;
    for (index, c) in inside.char_indices() {
        let rest = inside.get(index..).unwrap_or_default();
        match quoted {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(quote) if c == quote => quoted = None,
            None if rest.starts_with(closer) => {
                return Ok(rest.get(closer.len()..).unwrap_or_default());
            }
            None if c == '"' || c == '\'' => quoted = Some(c),
            None if c == '*' => {
                return Err((rest, "`*` cannot be used in templates here".to_owned()));
            }
            _ => {}
        }
    }
    Ok("")
}

/// The first line in which a name stands as a word.
fn line_of(text: &str, name: &str) -> Option<u32> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let has = |line: &str| line.split(|c| !is_part(c)).any(|word| word == name);
    let index = text.lines().position(has)?;
    u32::try_from(index + 1).ok()
}

/// Takes so much and no more.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_MAX {
            return Err(io::Error::other("the message would be too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn wrong(text: &str) -> String {
        let found = problems(&environment(), text, &["customer", "rows"]);
        let shown = found.iter().map(|problem| {
            let line = problem
                .line
                .map_or_else(String::new, |line| format!("{line}: "));
            format!("{line}{}", problem.message)
        });
        shown.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        insta::assert_snapshot!(wrong("Hello\n{{ customr }}"), @"2: `customr` is not a variable; there are customer, rows");
        insta::assert_snapshot!(wrong("Hello\n\n{{ customer "), @"3: syntax error: unexpected end of input, expected end of variable block");
        assert!(wrong("{% if customer %}\nHello").ends_with("expected end of block"));
        assert_eq!(wrong("* {{ customer|upper }} *{# {% set #}"), "");
        assert_eq!(
            wrong("{% for row in rows %}{{ loop.index }} {{ row.label }}{% endfor %}"),
            ""
        );
    }

    #[test]
    fn what_would_cost_too_much_is_refused_or_cut_short() {
        for text in [
            "a\n{%- set s = customer %}",
            "{% macro m() %}{% endmacro %}",
            "{%\n+set s = 1 %}",
            "{% include 'x' %}",
            "{% with a = 1 %}{% endwith %}",
            "{{ 'a' * 100000000 }}",
            "{{ \"}}\" * 100000000 }}",
            "{{ '\\'}}' * 100000000 }}",
            "{% if 'a' * 100000000 %}{% endif %}",
            "{{ 2 ** 2 }}",
            "{% for a in [customer ~ customer] %}{% for b in [a ~ a] %}{{ b }}{% endfor %}{% endfor %}",
            "{% for r in rows recursive %}{{ loop(rows) }}{% endfor %}",
            &"a".repeat(LENGTH_MAX + 1),
        ] {
            assert_ne!(wrong(text), "", "{text:.40}");
        }
        let view = context! { rows => vec!["x".repeat(200); 100], customer => "x".repeat(4_000) };
        let filled = |text: &str| fill(&environment(), text, &view).unwrap_err().to_string();
        let nested = |depth: usize, inside: &str| {
            let (open, close) = ("{% for r in rows %}", "{% endfor %}");
            format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
        };
        let endless = filled(&nested(6, ""));
        assert!(endless.contains("fuel"), "{endless}");
        let long = filled(&nested(2, "{{ customer }}"));
        assert!(long.contains("write"), "{long}");
        assert!(filled("{{ customer.nothing }}").contains("undefined"));
    }
}
