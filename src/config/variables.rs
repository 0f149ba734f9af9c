//! `${VAR}` and `${VAR:-default}` in a text; `$${` stands for a written `${`.

/// Why a text with variables has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VariableError {
    /// The variable has neither a value nor a default.
    Unset(String),
    /// What stands between `${` and `}` is not a name, or the `}` is missing.
    Malformed(String),
}

/// Whether `text` mentions a variable.
pub(crate) fn has_variables(text: &str) -> bool {
    text.contains("${")
}

/// `text` with every variable replaced; defaults are taken as they are, without variables of their own.
pub(crate) fn substitute(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, VariableError> {
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        if let Some(before) = before.strip_suffix('$') {
            result.push_str(before);
            result.push_str("${");
            rest = &from[2..];
            continue;
        }
        let (inside, after) = from[2..]
            .split_once('}')
            .ok_or_else(|| VariableError::Malformed(from.to_owned()))?;
        result.push_str(before);
        result.push_str(&value_of(inside, variable)?);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

/// A variable that is set to nothing takes its default, as in a shell.
fn value_of(inside: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, VariableError> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_name(name) {
        return Err(VariableError::Malformed(format!("${{{inside}}}")));
    }
    match (variable(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(VariableError::Unset(name.to_owned())),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, VariableError>) {
        let variable = |name: &str| match name {
            "HOST" => Some("shop".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${HOST}".to_owned()),
            _ => None,
        };
        assert_eq!(substitute(text, &variable), expected.map(str::to_owned));
    }

    #[test]
    fn a_variable_stands_for_its_value() {
        check("http://${HOST}:80/${HOST}", Ok("http://shop:80/shop"));
        check("${EMPTY}", Ok(""));
    }

    #[test]
    fn a_default_stands_in_for_what_is_unset_or_empty() {
        check("${NONE:-a:-b}", Ok("a:-b"));
        check("${EMPTY:-c}", Ok("c"));
        check("${NONE:-}", Ok(""));
        check("${HOST:-c}", Ok("shop"));
    }

    #[test]
    fn a_value_is_not_substituted_again() {
        check("${NESTED}", Ok("${HOST}"));
    }

    #[test]
    fn a_doubled_dollar_is_a_dollar() {
        check("a$${HOST}b", Ok("a${HOST}b"));
        check("costs $5", Ok("costs $5"));
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        check("${NONE}", Err(VariableError::Unset("NONE".to_owned())));
        check("${HOST", Err(VariableError::Malformed("${HOST".to_owned())));
        check("${}", Err(VariableError::Malformed("${}".to_owned())));
        check("${A B}", Err(VariableError::Malformed("${A B}".to_owned())));
    }
}
