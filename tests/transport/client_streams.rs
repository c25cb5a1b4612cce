//! The client's two streams, whatever they are. Their flags are the client's.

use crate::support::{Gateway, Project, Streams};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

/// Our own second descriptor of what the gateway gets: the same description, the same flags.
struct Shared(OwnedFd, OFlags);

impl Shared {
    fn of(fd: &impl AsFd) -> Self {
        let own = fd.as_fd().try_clone_to_owned().unwrap();
        let flags = fcntl_getfl(&own).unwrap();
        Self(own, flags)
    }

    fn assert_unchanged(&self) {
        assert_eq!(fcntl_getfl(&self.0).unwrap(), self.1);
    }
}

fn talk(gateway: &mut Gateway<'_>, shared: &[&Shared]) {
    gateway.hello();
    assert_eq!(
        gateway.call("one__echo", &json!({ "a": 1 })).text(),
        r#"{"a":1}"#
    );
    for shared in shared {
        shared.assert_unchanged();
    }
}

#[test]
fn pipes_keep_their_flags() {
    for flags in [OFlags::empty(), OFlags::NONBLOCK] {
        let project = Project::new().demo("one");
        project.write_registry();
        let (input, writer) = std::io::pipe().unwrap();
        let (reader, output) = std::io::pipe().unwrap();
        for end in [input.as_fd(), output.as_fd()] {
            fcntl_setfl(end, fcntl_getfl(end).unwrap() | flags).unwrap();
        }
        let shared = [Shared::of(&input), Shared::of(&output)];
        let streams = Streams {
            input: Some((input.into(), Box::new(writer))),
            output: Some((output.into(), Box::new(reader))),
            stderr: None,
        };
        let mut gateway = Gateway::start(&project, project.command(), streams);
        talk(&mut gateway, &[&shared[0], &shared[1]]);
        gateway.end_input();
        assert_eq!(gateway.wait().code(), Some(0));
        shared.iter().for_each(Shared::assert_unchanged);
    }
}

#[test]
fn socketpairs_keep_their_flags() {
    let project = Project::new().demo("one");
    project.write_registry();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let shared = Shared::of(&theirs);
    let streams = Streams {
        input: Some((
            OwnedFd::from(theirs.try_clone().unwrap()).into(),
            Box::new(ours.try_clone().unwrap()),
        )),
        output: Some((
            OwnedFd::from(theirs).into(),
            Box::new(ours.try_clone().unwrap()),
        )),
        stderr: None,
    };
    let mut gateway = Gateway::start(&project, project.command(), streams);
    talk(&mut gateway, &[&shared]);
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(gateway.wait().code(), Some(0), "{}", project.stderr());
    shared.assert_unchanged();
}

#[test]
fn a_terminal_keeps_its_flags() {
    let project = Project::new().demo("one");
    project.write_registry();
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = rustix::fs::open(
        name.as_c_str(),
        OFlags::RDWR | OFlags::NOCTTY,
        rustix::fs::Mode::empty(),
    )
    .unwrap();
    // As a program of the terminal would: no echo, no line editing, no translation of newlines.
    let mut modes = rustix::termios::tcgetattr(&theirs).unwrap();
    modes.make_raw();
    rustix::termios::tcsetattr(&theirs, rustix::termios::OptionalActions::Now, &modes).unwrap();
    let shared = Shared::of(&theirs);
    let streams = Streams {
        input: Some((
            theirs.try_clone().unwrap().into(),
            Box::new(File::from(ours.try_clone().unwrap())),
        )),
        output: Some((theirs.into(), Box::new(File::from(ours)))),
        stderr: None,
    };
    let mut gateway = Gateway::start(&project, project.command(), streams);
    talk(&mut gateway, &[&shared]);
    gateway.signal(rustix::process::Signal::TERM);
    assert_eq!(gateway.wait().code(), Some(0), "{}", project.stderr());
    shared.assert_unchanged();
}

#[test]
fn files_can_be_both() {
    let project = Project::new().with("input_end_grace: 20s").demo("one");
    project.write_registry();
    let call = |id, tool| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool } });
    let (input, output) = (project.base().join("input"), project.base().join("output"));
    fs::write(
        &input,
        format!("{}\n{}\n", call(1, "one__echo"), call(2, "one__fail")),
    )
    .unwrap();
    let written = OpenOptions::new()
        .create_new(true)
        .append(true)
        .open(&output)
        .unwrap();
    let shared = Shared::of(&written);
    let status = project
        .command()
        .stdin(Stdio::from(File::open(&input).unwrap()))
        .stdout(Stdio::from(written))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    shared.assert_unchanged();
    let answers = fs::read_to_string(&output).unwrap();
    assert_eq!(answers.lines().count(), 2, "{answers}");
}

#[test]
fn no_client_at_all_is_an_end_of_input() {
    let project = Project::new().demo("one");
    project.write_registry();
    let output = project.command().stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
    project.assert_nothing_is_left();
}
