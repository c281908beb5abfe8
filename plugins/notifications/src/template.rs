//! Texts that a business wrote: Jinja2's language, as much of it as a message needs, and no more than it can cost.
//!
//! Guaranteed: filling one in ends soon, takes little memory and answers little text, whatever it says: [`check`] looks at it before the
//! language does anything with it, each time, so also at what was stored by an earlier version.

mod check;

use std::io::{self, Write};

use minijinja::{Environment, Error, UndefinedBehavior, Value};
use plugin_api::TemplateProblem;

/// The longest message, in bytes.
const OUTPUT_MAX: usize = 64 * 1024;
/// How much may be done to fill one in.
const FUEL: u64 = 20_000;
/// How deep it may be nested.
const DEPTH_MAX: usize = 20;

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
pub fn fill(
    environment: &Environment<'static>,
    text: &str,
    view: &Value,
) -> Result<String, TemplateProblem> {
    check::check(text)?;
    let mut output = Bounded(Vec::new());
    let filled = environment
        .template_from_str(text)
        .and_then(|template| template.render_captured_to(view, &mut output).map(drop));
    filled.map_err(|error| problem(&error))?;
    Ok(String::from_utf8_lossy(&output.0).into_owned())
}

/// What is wrong with a template by itself, whatever it is filled in with.
pub fn problems(
    environment: &Environment<'static>,
    text: &str,
    known: &[&str],
) -> Vec<TemplateProblem> {
    if let Err(problem) = check::check(text) {
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
fn problem(error: &Error) -> TemplateProblem {
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateProblem {
        line: error.line().and_then(|line| u32::try_from(line).ok()),
        message,
    }
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
            wrong("{{ ('a' ~ customer[:3])|default('*') }} {{ '}}' }}"),
            ""
        );
        assert_eq!(
            wrong(
                "{% if customer in ['a', 'b'] and not rows[0].label == 'x' %}a{% elif 1 < 2 %}b{% else %}c{% endif %}"
            ),
            ""
        );
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
            &"a".repeat(8_001),
            // The first `}}` ends no tag while a bracket is open.
            "{{ [{'a':{}},'a'*99999999,'a'*99999999]|length }}",
            "{{ [{'a':{}}, '{#']|length }}{% set x = 'a' %}{{ x*4 }}{{ '#}' }}",
            "{{ (customer ~ (customer * 99999999))|length }}",
            "{{ rows|map(attribute='label') }}",
            "{% if customer %}{{ loop(rows) }}{% endif %}",
            // Each puts all that is before it together once more, and is one deeper.
            &format!("{{{{ {}customer }}}}", "customer ~ ".repeat(700)),
            &format!("{{{{ {}1 }}}}", "-".repeat(7_900)),
            &format!("{{{{ {}1 }}}}", "not ".repeat(1_900)),
            &format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(600)),
        ] {
            assert_ne!(wrong(text), "", "{text:.40}");
        }
        let view = context! { rows => vec!["x".repeat(200); 100], customer => "x".repeat(4_000) };
        let filled = |text: &str| {
            let refused = fill(&environment(), text, &view).unwrap_err();
            refused.message
        };
        let nested = |depth: usize, inside: &str| {
            let (open, close) = ("{% for r in rows %}", "{% endfor %}");
            format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
        };
        let endless = filled(&nested(6, ""));
        assert!(endless.contains("fuel"), "{endless}");
        let long = filled(&nested(2, "{{ customer }}"));
        assert!(long.contains("write"), "{long}");
        assert!(filled("{{ customer.nothing }}").contains("undefined"));
        // What was stored before it was refused is not filled in either.
        assert!(filled("{{ 'a' * 4 }}").contains("cannot be used"));
    }
}
