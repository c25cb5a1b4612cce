//! Commands that may download and install a server before they start it.
//!
//! They get a longer handshake by default. A guess by name: when it is wrong, only a default changes.

use camino::Utf8Path;

/// Whether this command may install something before the server speaks.
pub fn installs_first(command: &str, args: &[String]) -> bool {
    let name = Utf8Path::new(command).file_stem().unwrap_or(command);
    let mut words = args
        .iter()
        .map(String::as_str)
        .filter(|arg| !arg.starts_with('-'));
    match name {
        "npx" | "bunx" | "pnpx" | "uvx" => true,
        "npm" => matches!(words.next(), Some("exec" | "x")),
        "pnpm" | "yarn" => matches!(words.next(), Some("dlx")),
        "bun" => matches!(words.next(), Some("x")),
        "pipx" | "docker" | "podman" | "nix" => matches!(words.next(), Some("run")),
        "uv" => match words.next() {
            Some("run") => true,
            Some("tool") => matches!(words.next(), Some("run")),
            _ => false,
        },
        "deno" => args
            .iter()
            .any(|arg| arg.starts_with("npm:") || arg.starts_with("jsr:")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::installs_first;

    fn judge(line: &str) -> bool {
        let mut words = line.split(' ').map(String::from);
        let command = words.next().unwrap();
        installs_first(&command, &words.collect::<Vec<_>>())
    }

    #[test]
    fn launchers_that_install_first() {
        for line in [
            "npx -y @modelcontextprotocol/server-everything",
            "/usr/local/bin/npx pkg",
            "npx.cmd pkg",
            "uvx mcp-server-time",
            "uv tool run mcp-server-time",
            "uv run server.py",
            "bunx pkg",
            "bun x pkg",
            "pnpm dlx pkg",
            "yarn dlx pkg",
            "npm exec pkg",
            "pipx run pkg",
            "docker run -i --rm image",
            "podman --log-level=error run image",
            "deno run -A npm:pkg",
        ] {
            assert!(judge(line), "{line}");
        }
    }

    #[test]
    fn plain_programs_install_nothing() {
        for line in [
            "node server.js",
            "python3 -m server",
            "npm start",
            "docker exec box server",
            "./npx-like",
            "uv pip list",
        ] {
            assert!(!judge(line), "{line}");
        }
    }
}
