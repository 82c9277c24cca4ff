//! Reading a script.

use super::{Action, Line, ScriptError, When};
use serde_json::Value;

/// Reads a script. Blank lines and lines that begin with `#` are passed over.
pub fn parse(text: &str) -> Result<Vec<Line>, ScriptError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| parse_line(number, line))
        .collect()
}

fn parse_line(number: usize, line: &str) -> Result<Line, ScriptError> {
    let fail = |why: String| ScriptError::Line { line: number, why };
    let value: Value = serde_json::from_str(line).map_err(|error| fail(error.to_string()))?;
    let Value::Object(mut fields) = value else {
        return Err(fail("it is not a JSON object".to_owned()));
    };
    let when = match (fields.remove("after_step"), fields.remove("after")) {
        (None, None) => When::Now,
        (Some(step), None) => {
            let step = step
                .as_u64()
                .and_then(|step| u32::try_from(step).ok())
                .ok_or_else(|| fail("`after_step` is a step number, 0 or more".to_owned()))?;
            When::AfterStep(step)
        }
        (None, Some(Value::String(what))) if what == "end" => When::AfterEnd,
        (None, Some(_)) => return Err(fail("`after` knows only \"end\"".to_owned())),
        (Some(_), Some(_)) => {
            return Err(fail(
                "`after_step` and `after` exclude each other".to_owned(),
            ));
        }
    };
    if !fields.contains_key("do") {
        return Err(fail("`do` is missing".to_owned()));
    }
    let action: Action =
        serde_json::from_value(Value::Object(fields)).map_err(|error| fail(error.to_string()))?;
    Ok(Line {
        number,
        when,
        action,
    })
}
