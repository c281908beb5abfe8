//! What a template may say: variables, conditions, loops over the facts, comparisons, and a few filters; nothing that remembers (`set`),
//! multiplies (`*`), calls or defines.
//!
//! The language's own lexer and parser tell what it says, so that nothing is one thing here and another where it is filled in. The lexer comes
//! first: it bounds how much one tag says, and so how deep the parser has to go.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, ForLoop, Stmt};
use minijinja::machinery::{Span, Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;
use plugin_api::TemplateProblem;

use super::problem;

/// The longest template, in characters.
const LENGTH_MAX: usize = 8_000;
/// The most words and signs of one tag: so much is put together at most before it is cut off as output.
const TAG_MAX: usize = 80;
/// The most conditions and loops: they may stand one inside the other.
const BLOCKS_MAX: usize = 100;

/// The tags that a template may have.
const TAGS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];
/// The filters that it may use: those of [`super::environment`].
const FILTERS: [&str; 7] = [
    "upper",
    "lower",
    "capitalize",
    "trim",
    "length",
    "first",
    "default",
];

type Checked = Result<(), TemplateProblem>;

/// Finds the first thing in a template that could cost more than a message is worth, or that is not of the language.
pub fn check(text: &str) -> Checked {
    let length = text.chars().count();
    if length > LENGTH_MAX {
        let message = format!("must be at most {LENGTH_MAX} characters long, not {length}");
        return Err(TemplateProblem {
            line: None,
            message,
        });
    }
    tags(text)?;
    let parsed = parse(text, "<string>", SyntaxConfig::default());
    statement(&parsed.map_err(|error| problem(&error))?)
}

/// Which tags there are, and how long.
fn tags(text: &str) -> Checked {
    let (mut long, mut blocks, mut begins) = (0, 0, false);
    for token in tokenize(text, false, SyntaxConfig::default()) {
        let (token, span) = token.map_err(|error| problem(&error))?;
        let name = if begins { tag(&token) } else { None };
        begins = matches!(token, Token::BlockStart);
        match token {
            Token::VariableStart | Token::BlockStart => long = 0,
            _ => long += 1,
        }
        if let Some(name) = name {
            let is_known = TAGS.contains(&name);
            if !is_known {
                let known = TAGS.join(", ");
                let message = format!("`{name}` is not a tag of templates here; there are {known}");
                return refused(span, message);
            }
            blocks += usize::from(matches!(name, "if" | "elif" | "for"));
        }
        if long > TAG_MAX {
            let message = format!("a tag here is at most {TAG_MAX} words and signs long");
            return refused(span, message);
        }
        if blocks > BLOCKS_MAX {
            let message = format!("there are at most {BLOCKS_MAX} conditions and loops here");
            return refused(span, message);
        }
    }
    Ok(())
}

/// The name of the tag that begins with this token; what is no name the parser refuses.
fn tag<'a>(token: &Token<'a>) -> Option<&'a str> {
    match token {
        Token::Ident(name) => Some(name),
        _ => None,
    }
}

fn statements(all: &[Stmt<'_>]) -> Checked {
    all.iter().try_for_each(statement)
}

fn statement(statement: &Stmt<'_>) -> Checked {
    match statement {
        Stmt::Template(template) => statements(&template.children),
        Stmt::EmitRaw(_) => Ok(()),
        Stmt::EmitExpr(emit) => expression(&emit.expr),
        Stmt::IfCond(condition) => {
            expression(&condition.expr)?;
            statements(&condition.true_body)?;
            statements(&condition.false_body)
        }
        Stmt::ForLoop(each) if !is_over_rows(each) => {
            let message = "a loop here is written `{% for row in rows %}`".to_owned();
            refused(each.span(), message)
        }
        Stmt::ForLoop(each) => {
            statements(&each.body)?;
            statements(&each.else_body)
        }
        // Their names were looked at.
        _ => Err(TemplateProblem {
            line: None,
            message: format!("there are no other tags here than {}", TAGS.join(", ")),
        }),
    }
}

/// Whether a loop goes over the facts and nothing else: one over what a template makes up could double it with every loop inside another.
fn is_over_rows(each: &ForLoop<'_>) -> bool {
    let is_rows = matches!(&each.iter, Expr::Var(name) if name.id == "rows");
    let is_plain = matches!(each.target, Expr::Var(_)) && each.filter_expr.is_none();
    is_rows && is_plain && !each.recursive
}

fn expression(part: &Expr<'_>) -> Checked {
    match part {
        Expr::Var(_) | Expr::Const(_) => Ok(()),
        Expr::UnaryOp(unary) => expression(&unary.expr),
        Expr::BinOp(binary) => {
            let sign = match binary.op {
                BinOpKind::Mul => "*",
                BinOpKind::Pow => "**",
                _ => return expression(&binary.left).and_then(|()| expression(&binary.right)),
            };
            let message = format!("`{sign}` cannot be used in templates here");
            refused(part.span(), message)
        }
        Expr::Compare(compare) => {
            expression(&compare.expr)?;
            compare.ops.iter().try_for_each(|op| expression(&op.expr))
        }
        Expr::IfExpr(choice) => {
            expression(&choice.test_expr)?;
            expression(&choice.true_expr)?;
            choice.false_expr.as_ref().map_or(Ok(()), expression)
        }
        Expr::Filter(filter) => {
            if !FILTERS.contains(&filter.name) {
                let (name, known) = (filter.name, FILTERS.join(", "));
                let message =
                    format!("`{name}` is not a filter of templates here; there are {known}");
                return refused(part.span(), message);
            }
            filter.expr.as_ref().map_or(Ok(()), expression)?;
            filter.args.iter().try_for_each(|given| match given {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => expression(value),
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => unknown(value),
            })
        }
        Expr::GetAttr(attribute) => expression(&attribute.expr),
        Expr::GetItem(item) => {
            expression(&item.expr)?;
            expression(&item.subscript_expr)
        }
        Expr::Slice(slice) => {
            expression(&slice.expr)?;
            let ends = [&slice.start, &slice.stop, &slice.step];
            ends.into_iter().flatten().try_for_each(expression)
        }
        // `status in ['confirmed', 'pending']`
        Expr::List(list) => list.items.iter().try_for_each(expression),
        Expr::Test(_) | Expr::Call(_) | Expr::Tuple(_) | Expr::Map(_) => unknown(part),
    }
}

fn unknown(part: &Expr<'_>) -> Checked {
    let message = format!("a {} cannot be used in templates here", part.description());
    refused(part.span(), message)
}

fn refused(at: Span, message: String) -> Checked {
    Err(TemplateProblem {
        line: Some(at.start_line.into()),
        message,
    })
}
