//! Paths that do not mean what they say.

/// Whether `path` means the same to this gateway and to whatever stands behind it: it starts with `/`, has no `.` or
/// `..` segment, plain or percent-encoded, and no backslash or encoded slash, backslash or NUL that a backend might
/// take for one. RFC 3986 section 5.2.4 would have the dots removed; a client that sends them is not a browser, so
/// they are refused, and a route's prefix cannot be walked around.
#[must_use]
pub fn is_safe_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.bytes().any(|byte| byte == b'\\' || byte == 0)
        && path.split('/').all(|segment| !is_dots(segment.as_bytes()))
        && encoded_bytes(path.as_bytes()).all(|byte| !matches!(byte, b'/' | b'\\' | 0))
}

/// `.` or `..`, with any of the dots written as `%2e`.
fn is_dots(segment: &[u8]) -> bool {
    let (mut rest, mut dots) = (segment, 0);
    while dots <= 2 && !rest.is_empty() {
        rest = match rest {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return false,
        };
        dots += 1;
    }
    (1..=2).contains(&dots)
}

/// The bytes that percent-encoding stands for in `path`.
fn encoded_bytes(path: &[u8]) -> impl Iterator<Item = u8> + '_ {
    path.windows(3).filter_map(|window| match window {
        [b'%', high, low] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: bool) {
        assert_eq!(is_safe_path(path), expected, "{path}");
    }

    #[test]
    fn ordinary_paths_pass() {
        for path in [
            "/",
            "/a/b.html",
            "/a/.well-known/x",
            "/...",
            "/a%20b",
            "//",
            "/a..b",
            "/%2e%2e%2e",
        ] {
            check(path, true);
        }
    }

    #[test]
    fn walking_up_is_refused() {
        for path in [
            "/a/../b",
            "/..",
            "/./a",
            "/%2e%2e/a",
            "/.%2E/a",
            "/a/%2e",
            "/a\\..\\b",
            "/a%2f..",
            "/a%5Cb",
            "/%00",
        ] {
            check(path, false);
        }
    }

    #[test]
    fn anything_but_an_absolute_path_is_refused() {
        check("a", false);
        check("*", false);
        check("", false);
    }
}
