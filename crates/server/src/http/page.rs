//! A small page for people: a heading, a few paragraphs, perhaps one button. It is nobody else's, shows nothing from elsewhere, is shown in no
//! frame, and its address goes nowhere.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};

const HEADERS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    // For browsers that do not know `frame-ancestors`.
    (X_FRAME_OPTIONS, "DENY"),
];

const STYLE: &str = "\
:root { color-scheme: light dark; --ground: #f4f4f5; --card: #fff; --text: #18181b; --faint: #52525b; --edge: #e4e4e7; --act: #1d4ed8; --on: #fff }
@media (prefers-color-scheme: dark) { :root { --ground: #18181b; --card: #27272a; --text: #fafafa; --faint: #d4d4d8; --edge: #3f3f46; --act: #93c5fd; --on: #172554 } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--text);
  font: 17px/1.5 system-ui, sans-serif }
main { box-sizing: border-box; width: min(32rem, 100vw - 2rem); margin: 2rem 1rem; padding: 2rem; background: var(--card);
  border: 1px solid var(--edge); border-radius: 12px; overflow-wrap: anywhere }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25 }
p { margin: 0 0 1rem } p:last-child { margin: 0 } * + p:last-child { color: var(--faint) } h1 + p:last-child { color: inherit }
button { box-sizing: border-box; width: 100%; margin: .5rem 0 1.25rem; padding: .75rem 1.5rem; border: 0; border-radius: 8px;
  background: var(--act); color: var(--on); font: inherit; font-weight: 600; cursor: pointer }
button:focus-visible { outline: 3px solid var(--text); outline-offset: 2px }
";

/// What it shows: texts, in which nothing is markup.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    pub title: &'a str,
    pub paragraphs: &'a [&'a str],
    /// What a click on it posts to the page's own address, between the first paragraphs and the last one.
    pub button: Option<&'a str>,
}

impl Page<'_> {
    /// The page as an answer.
    pub(super) fn answer(self, status: StatusCode) -> Response {
        (status, HEADERS, Html(self.html())).into_response()
    }

    fn html(self) -> String {
        let title = escaped(self.title);
        let mut parts: Vec<String> = self
            .paragraphs
            .iter()
            .map(|text| format!("<p>{}</p>", escaped(text)))
            .collect();
        if let Some(button) = self.button {
            // Without an action a form is posted to where it came from.
            let form = format!(
                "<form method=\"post\"><button>{}</button></form>",
                escaped(button)
            );
            parts.insert(parts.len().saturating_sub(1), form);
        }
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{}\n</main>\n</body>\n</html>\n",
            parts.join("\n")
        )
    }
}

/// A text in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_text_and_not_markup() {
        let nasty = "<script>\"a\" & 'b'</script>";
        let page = Page {
            title: nasty,
            paragraphs: &[nasty, "End"],
            button: Some(nasty),
        };
        let html = page.html();
        let plain = "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;";
        assert_eq!(html.matches(plain).count(), 4);
        assert!(!html.contains("<script>"));
        assert!(html.contains("</button></form>\n<p>End</p>"), "{html}");
    }
}
