//! Deploying through the binary: onto software boards that speak a chip's own wire protocol, and onto lines where something is wrong.

use crate::place::Place;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A ring that goes on after its input, with leak, delays and inhibition: what a host must send back is part of it.
fn network(neuron: &str) -> String {
    let chip = neuron.rsplit('.').next().expect("a name");
    format!(
        "use targets.{neuron}

network Ring {{
  step 1 ms
  source stim: events[8]
  pop a: {chip}[24] {{ thr = 20, leak = 1, disabled = false }}
  pop b: {chip}[8] {{ thr = 21, leak = 1, disabled = false }}
  connect stim -> a : fixed_indegree(3, multapses = false) {{ weight = 4 }}
  connect a -> a : one_to_one {{ weight = 7, delay = 3 ms }}
  connect a -> b : fixed_indegree(5, multapses = false) {{ weight = 4, delay = 2 ms }}
  connect b -> a : fixed_indegree(2, multapses = false) {{ weight = -3, delay = 5 ms }}
  record a.spikes
  record b.spikes
}}
"
    )
}

/// A board of the binary, ended with the test.
struct Board {
    child: Child,
    url: String,
}

impl Board {
    fn start(p: &Place, chip: &str, more: &[&str]) -> Board {
        let mut command = p.command(&[&["board", chip], more].concat());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let out = child.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a line");
        let url = line.split('"').nth(1).unwrap_or_else(|| panic!("{line}"));
        let url = url.to_string();
        Board { child, url }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CHIPS: [(&str, &str); 2] = [("tinyodin", "tinyodin.TinyOdin"), ("odin", "odin.OdinLif")];

/// A folder with the artefact of a chip, its input, and what the emulator makes of it.
fn compiled(name: &str, (chip, neuron): (&str, &str)) -> Place {
    let p = Place::new(&format!("boards-{name}-{chip}"));
    p.write("net.syn", &network(neuron));
    let rows: String = (0..60)
        .flat_map(|s| {
            (0..8)
                .filter(move |n| (s * 7 + n * 5) % 11 < 3)
                .map(move |n| format!("{s},stim,{n}\n"))
        })
        .collect();
    p.write("in.csv", &format!("step,population,neuron\n{rows}"));
    p.expect(
        0,
        &["compile", "net.syn", "--target", chip, "-o", "net.synx"],
    );
    let run = [
        "run",
        "net.synx",
        "--input",
        "in.csv",
        "--steps",
        "90",
        "--record",
        "emulated.csv",
    ];
    p.expect(0, &run);
    assert!(
        p.read("emulated.csv").lines().count() > 100,
        "{chip} is silent"
    );
    p
}

fn deploy<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "deploy", "net.synx", "--board", url, "--input", "in.csv", "--steps", "90",
    ];
    [&fixed, more].concat()
}

#[test]
fn spikes_of_a_board_are_those_of_the_emulator() {
    for chip in CHIPS {
        let p = compiled("equal", chip);
        #[cfg(unix)]
        let ways: [&[&str]; 3] = [
            &["--pty"],
            &["--pty", "--baud", "921600"],
            &["--listen", "127.0.0.1:0"],
        ];
        #[cfg(not(unix))]
        let ways: [&[&str]; 1] = [&["--listen", "127.0.0.1:0"]];
        for way in ways {
            let board = Board::start(&p, chip.0, way);
            // Twice: the second host finds the board as the first one left it.
            for _ in 0..2 {
                p.expect(
                    0,
                    &deploy(&board.url, &["--record", "board.csv", "--verify"]),
                );
                assert_eq!(
                    p.read("board.csv"),
                    p.read("emulated.csv"),
                    "{chip:?} {way:?}"
                );
            }
            let facts = p.json(&deploy(&board.url, &[]));
            assert_eq!(facts["engine"], "board");
            assert_eq!(facts["steps"], 90);
        }
    }
}

#[test]
fn a_batch_is_loaded_sample_by_sample() {
    let p = compiled("batch", CHIPS[0]);
    p.write("in.csv", "sample,step,population,neuron\n0,1,stim,0\n0,1,stim,1\n0,2,stim,2\n1,4,stim,3\n1,4,stim,4\n1,5,stim,5\n");
    p.expect(
        0,
        &[
            "run",
            "net.synx",
            "--input",
            "in.csv",
            "--steps",
            "90",
            "--record",
            "emulated.csv",
        ],
    );
    let board = Board::start(&p, "tinyodin", &["--listen", "127.0.0.1:0"]);
    p.expect(
        0,
        &deploy(&board.url, &["--record", "board.csv", "--verify"]),
    );
    assert_eq!(p.read("board.csv"), p.read("emulated.csv"));
}

/// A deploy that must fail with exit status 4 and this code, and leave no file behind.
fn fails(p: &Place, url: &str, code: &str) {
    let before = p.names();
    let begin = Instant::now();
    let out = p.run(&deploy(url, &["--record", "board.csv"]));
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(4), "{url}\n{told}");
    assert!(
        told.contains(code) && told.contains("help:"),
        "{url}: no {code}\n{told}"
    );
    assert_eq!(p.names(), before, "something was written");
    assert!(begin.elapsed() < Duration::from_secs(20), "{url}");
}

/// A host on a socket that a test plays the board for; what `board` gives is sent, and the line closed at the end.
fn played(board: impl FnOnce(TcpStream) + Send + 'static) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "tcp://{}?timeout=300",
        listener.local_addr().expect("bound")
    );
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a host");
        board(stream);
    });
    (url, thread)
}

/// Answers requests of the bridge as long as `go` says so: it is given the number of answers so far.
fn answers(mut stream: TcpStream, mut go: impl FnMut(usize, &mut TcpStream, u8) -> bool) {
    let mut n = 0;
    let mut first = [0];
    while stream.read_exact(&mut first).is_ok() {
        let (rest, answer): (usize, &[u8]) = match first[0] {
            1 => (5, &[0x81, 0]),
            2 => (3, &[0x82]),
            3 => (2, &[0x83]),
            4 => (1, &[0x84]),
            _ => continue,
        };
        let mut bytes = vec![0; rest];
        if stream.read_exact(&mut bytes).is_err() || !go(n, &mut stream, first[0]) {
            return;
        }
        // A read of the memories gets what a chip would say that holds 0xAA everywhere.
        let read = first[0] == 1 && bytes[0] >> 4 >= 9;
        let answer = if read { &[0x81, 0xAA] } else { answer };
        if stream.write_all(answer).is_err() {
            return;
        }
        n += 1;
    }
}

#[test]
fn lines_on_which_something_is_wrong_are_said_so_and_nothing_is_written() {
    let p = compiled("wrong", CHIPS[0]);
    fails(&p, "serial:///dev/there-is-no-such-line", "SYN0851");
    fails(&p, "spi:///dev/null", "SYN0851");
    fails(&p, "tcp://127.0.0.1:1", "SYN0851");
    type Wrong = (&'static str, fn(TcpStream));
    let cases: [Wrong; 5] = [
        ("SYN0852", |s| {
            answers(s, |n, _, _| {
                // From the hundredth request on there is silence, and the line stays open.
                if n == 100 {
                    std::thread::sleep(Duration::from_secs(2));
                }
                n < 100
            })
        }),
        ("SYN0853", |s| answers(s, |n, _, _| n < 100)),
        ("SYN0854", |mut s| {
            let _ = s.write_all(b"U-Boot 2021.04\r\n");
            std::thread::sleep(Duration::from_secs(1));
        }),
        ("SYN0854", |s| {
            answers(s, |n, s, _| n != 50 || s.write_all(&[0x37]).is_ok())
        }),
        ("SYN0855", |s| answers(s, |_, _, _| true)),
    ];
    for (code, board) in cases {
        let (url, thread) = played(board);
        fails(&p, &url, code);
        thread.join().expect("the board ends");
    }
}

#[cfg(unix)]
#[test]
fn a_wrong_baud_rate_is_named() {
    let p = compiled("baud", CHIPS[0]);
    let board = Board::start(&p, "tinyodin", &["--pty", "--baud", "115200"]);
    let line = board.url.split('?').next().expect("a URL").to_string();
    for baud in [9600, 57_600, 230_400, 921_600] {
        let out = p.run(&deploy(
            &format!("{line}?baud={baud}&timeout=300"),
            &["--record", "board.csv"],
        ));
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(4), "{baud}\n{told}");
        assert!(
            told.contains("SYN0852") || told.contains("SYN0854"),
            "{baud}\n{told}"
        );
        assert!(told.contains("speed") || told.contains("baud"), "{told}");
    }
    assert!(!p.names().contains(&"board.csv".to_string()));
    // At its own speed the same board works.
    p.expect(0, &deploy(&board.url, &["--record", "board.csv"]));
    assert_eq!(p.read("board.csv"), p.read("emulated.csv"));
}

#[cfg(unix)]
#[test]
fn a_board_that_is_unplugged_in_the_middle_leaves_the_files_as_they_were() {
    let p = compiled("unplugged", CHIPS[1]);
    p.write("board.csv", "what was there before\n");
    let mut board = Board::start(&p, "odin", &["--pty"]);
    let mut command = p.command(&[
        "deploy",
        "net.synx",
        "--board",
        &board.url,
        "--input",
        "in.csv",
        "--steps",
        "4000000",
        "--record",
        "board.csv",
    ]);
    let mut host = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts");
    std::thread::sleep(Duration::from_millis(700));
    assert!(
        host.try_wait().expect("a child").is_none(),
        "it ended too early"
    );
    board.child.kill().expect("running");
    let mut told = String::new();
    let mut errors = host.stderr.take().expect("piped");
    errors.read_to_string(&mut told).expect("text");
    assert_eq!(host.wait().expect("ends").code(), Some(4), "{told}");
    assert!(told.contains("SYN0853") && told.contains("plug"), "{told}");
    assert_eq!(p.read("board.csv"), "what was there before\n");
}

#[test]
fn boards_that_play_a_file_get_a_folder() {
    let p = compiled("folder", CHIPS[0]);
    // Its neurons reach one another through the host: the input cannot be played, the configuration can.
    let out = p.run(&[
        "deploy",
        "net.synx",
        "--board",
        "file://flow",
        "--input",
        "in.csv",
    ]);
    assert_eq!(out.status.code(), Some(2));
    assert!(!p.0.join("flow").exists());
    p.expect(0, &["deploy", "net.synx", "--board", "file://flow"]);
    p.expect(0, &["inspect", "net.synx", "--extract", "native"]);
    assert_eq!(p.bytes("flow/config.spi"), p.bytes("native/config.spi"));
    let out = p.run(&[
        "deploy",
        "net.synx",
        "--board",
        "file://flow",
        "--record",
        "x.csv",
    ]);
    assert_eq!(
        out.status.code(),
        Some(2),
        "nothing comes back from a folder"
    );
    let text = "use targets.tinyodin.TinyOdin\nnetwork Plain {\n  step 2 ms\n  source x: events[3]\n  pop a: TinyOdin[2] { thr = 3, leak = 1, disabled = false }\n  connect x -> a : all_to_all { weight = 2 }\n  record a.spikes\n}\n";
    p.write("plain.syn", text);
    p.write("x.csv", "step,population,neuron\n0,x,2\n0,x,1\n3,x,0\n");
    p.expect(
        0,
        &[
            "compile",
            "plain.syn",
            "--target",
            "tinyodin",
            "-o",
            "plain.synx",
        ],
    );
    p.expect(
        0,
        &[
            "deploy",
            "plain.synx",
            "--board",
            "file://played",
            "--input",
            "x.csv",
            "--steps",
            "4",
        ],
    );
    let events = p.read("played/events.aer");
    // Rows in order, then the time reference of the step; a step takes 2,000 us.
    let lines: Vec<&str> = events.lines().collect();
    assert_eq!(lines.len(), 3 + 4, "{events}");
    let delays: Vec<&str> = lines.iter().filter_map(|l| l.split(' ').next()).collect();
    assert_eq!(
        delays,
        ["0", "0", "0", "2000", "2000", "2000", "0"],
        "{events}"
    );
    assert_eq!(
        lines.iter().filter(|l| l.ends_with(" 1ff")).count(),
        4,
        "{events}"
    );
}

#[test]
fn an_fpga_flow_gets_its_memories_and_packets() {
    let p = Place::new("boards-flow");
    p.write("net.syn", "use std.neurons\nnetwork N {\n  step 1 ms\n  source x: events[2]\n  pop a: neurons.McCullochPitts[3] { threshold = 1 }\n  connect x -> a : all_to_all { weight = 1 }\n  record a.spikes\n}\n");
    p.write("x.csv", "step,population,neuron\n0,x,0\n2,x,0\n2,x,1\n");
    for dialect in ["rtl", "sim"] {
        let target = format!("ranc:{dialect}");
        p.expect(
            0,
            &["compile", "net.syn", "--target", &target, "-o", "net.synx"],
        );
        let url = format!("file://{dialect}");
        let facts = p.json(&[
            "deploy", "net.synx", "--board", &url, "--input", "x.csv", "--steps", "3",
        ]);
        assert!(facts["events"].as_u64() >= Some(3), "{facts}");
    }
    let words = |name: &str| -> Vec<u32> {
        let bytes = p.bytes(name);
        bytes
            .chunks(4)
            .map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]))
            .collect()
    };
    let counts = words("rtl/count.bin");
    assert_eq!(counts[..3], [1, 0, 2], "one word for each tick");
    assert_eq!(
        words("rtl/data.bin").len() as u32,
        counts.iter().sum::<u32>()
    );
    for file in ["csram_000.mem", "tc_000.mem", "ranc_parameters.vh"] {
        assert!(p.0.join("rtl").join(file).is_file(), "{file}");
    }
    let input: serde_json::Value = serde_json::from_str(&p.read("sim/input.json")).expect("JSON");
    assert_eq!(input["packets"][2].as_array().map(Vec::len), Some(2));
    assert!(p.0.join("sim/config.json").is_file());
    // A chip without a line.
    let out = p.run(&["deploy", "net.synx", "--board", "serial:///dev/null"]);
    assert_eq!(out.status.code(), Some(2));
    let out = p.run(&["board", "ranc", "--listen", "127.0.0.1:0"]);
    assert_eq!(out.status.code(), Some(2));
}
