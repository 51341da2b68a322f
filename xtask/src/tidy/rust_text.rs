//! Rust text with comments and literals blanked out, so that a rule finds words of code only.

/// The text with every character of comments, strings and character literals replaced by a space.
/// Lines stay where they are. Not a full lexer: enough for formatted code.
pub(crate) fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let len = skipped_len(&chars, at);
        if len == 0 {
            out.push(chars[at]);
            at += 1;
        }
        for &c in &chars[at..chars.len().min(at + len)] {
            out.push(if c == '\n' { '\n' } else { ' ' });
        }
        at += len;
    }
    out
}

/// Length of the comment or literal that starts here; 0 if none does.
fn skipped_len(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match rest {
        ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment_len(rest),
        ['"', ..] => string_len(rest),
        ['r', '"' | '#', ..] if !word_before => raw_string_len(rest),
        ['\'', '\\', ..] => rest.iter().skip(3).position(|&c| c == '\'').map_or(2, |n| n + 4),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

fn block_comment_len(rest: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_len(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string_len(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0; // a raw identifier
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = &rest[2 + hashes..];
    let end = body.windows(close.len()).position(|w| w == close).unwrap_or(body.len());
    (2 + hashes + end + close.len()).min(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_comments_and_literals_disappear_and_lines_stay() {
        let text = "a // unsafe\n/* unsafe /* x */ \n unsafe */ b \"unsafe \\\" c\" \
                    r#\"un\"safe\"# d\n'\"' e '\\'' f<'a>\n";
        let code = code_only(text);
        assert_eq!(code.lines().count(), text.lines().count());
        assert!(!code.contains("unsafe") && !code.contains("safe"), "{code}");
        let words: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(words, ["a", "b", "d", "e", "f<'a>"]);
    }
}
