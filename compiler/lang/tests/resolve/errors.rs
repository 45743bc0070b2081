//! What is said of broken networks.

use crate::{Memory, floats, ints, npy, npz, wrong};

macro_rules! broken {
    ($name:ident, $text:expr) => {
        broken!($name, $text, Memory::default());
    };
    ($name:ident, $text:expr, $files:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(wrong($text, &$files, &[]));
        }
    };
}

/// The body of a network with a few populations.
macro_rules! body {
    ($text:literal) => {
        concat!(
            "use std.neurons.{If, Lif, LifDelta, LifCurrExp}\nnetwork N {\n  step 0.1 ms\n  source x: events[6]\n  pop exc: LifDelta[8]\n  pop inh: LifDelta[4]\n  pop cub: LifCurrExp[6]\n  pop img: If[3, 8, 8]\n",
            $text,
            "\n}\n"
        )
    };
}

broken!(
    unknown_names,
    "use std.neurons.{Lif, Lof}\nuse std.nerons.If\nuse targets.nochip.Cell\nimport \"nowhere.syn\"\nnetwork N {\n  step 1 ms\n  pop a: Liff[3]\n  pop b: Izhikevich[3]\n  pop c: Lif[n]\n  part p: Mod\n  record d.spikes\n}\n"
);
broken!(
    duplicates,
    body!(
        "  pop exc: If[3]\n  let inh = 3\n  step 1 ms\n  seed 1\n  seed 2\n  pop y: Lif[2] { tau = 1 ms, tau = 2 ms }"
    )
);
broken!(
    wrong_units,
    body!(
        "  pop a: LifDelta[3] { tau = 20 mV, v_th = 20, v ~ uniform(0, 20) }\n  connect x -> exc[0 .. 6] : one_to_one { weight = 3 ms, delay = 2 }\n  let s = 1 mV + 2 ms\n  let c = 3 < 2 s"
    )
);
broken!(
    weight_missing,
    body!(
        "  connect x -> exc : all_to_all\n  connect x -> img : all_to_all\n  connect exc -> inh : dense { delay = 1 ms }"
    )
);
broken!(
    ports,
    body!(
        "  connect x -> cub : one_to_one { weight = 1 pA }\n  connect x -> cub.exk : one_to_one { weight = 1 pA }\n  connect exc.q -> inh : all_to_all { weight = 1 mV }\n  connect exc -> x : all_to_all\n  connect exc.v -> inh : all_to_all { weight = 1 }"
    )
);
broken!(
    one_to_one_sizes,
    body!("  connect x -> exc : one_to_one { weight = 1 mV }")
);
broken!(
    slices,
    body!(
        "  connect x[2 .. 9] -> img[0] : all_to_all\n  connect x[3 .. 3] -> img : all_to_all\n  connect x[6] -> img : all_to_all\n  record exc[0 .. 10].v"
    )
);
broken!(
    rules,
    body!(
        "  connect x -> exc : all_to_al { weight = 1 mV }\n  connect x -> exc : fixed_indegree { weight = 1 mV }\n  connect x -> exc : fixed_probability(1.5) { weight = 1 mV }\n  connect x -> exc : fixed_indegree(9, multapses = false) { weight = 1 mV }\n  connect x -> exc : all_to_all(sef = true) { weigth = 1 mV }"
    )
);
broken!(
    convolutions,
    body!(
        "  pop out: If[4, 8, 7]\n  connect img -> out : conv2d(3, padding = 1) { weight = 1 }\n  connect x -> out : conv2d(3) { weight = 1 }\n  connect img -> out : conv2d(20) { weight = 1 }\n  connect img -> out : conv2d(3, groups = 2) { weight = 1 }\n  connect img -> exc : conv2d(3) { weight = 1 mV }\n  connect img -> out : dense { weight = 1, delay = -1 ms }"
    )
);
broken!(
    arrays,
    body!(
        "  connect x -> img[0][0] : dense { weight = load(\"w.npy\") }\n  connect img[0][0] -> exc : dense { weight = load(\"v.npy\") }\n  connect x -> img : dense { weight = load(\"none.npy\") }\n  connect x -> img : dense { weight = load(\"a.npz\", \"wights\") }\n  pop l: Lif[3] { v_th = [1, 2] }\n  connect x -> img : fixed_total(9) { weight = [1, 2] }"
    ),
    Memory::default()
        .with("w.npy", floats(&[6, 8], [0.0; 48]))
        .with("v.npy", floats(&[8, 8], [0.0; 64]))
        .with("a.npz", npz(&[("weights", ints(&[1]))]))
);
broken!(
    sparse_matrices,
    body!(
        "  connect x -> img[0][0] : sparse { weight = load(\"csc.npz\") }\n  connect x -> img[0][0] : sparse { weight = load(\"bad.npz\") }\n  connect x -> img[0][0] : sparse { weight = 3 }"
    ),
    Memory::default()
        .with(
            "csc.npz",
            npz(&[
                ("indptr", ints(&[0])),
                ("indices", ints(&[])),
                ("data", ints(&[])),
                ("shape", ints(&[8, 6])),
                ("format", npy("|S3", &[], b"csc"))
            ])
        )
        .with(
            "bad.npz",
            npz(&[
                ("indptr", ints(&[0, 1, 1, 1, 1, 1, 1, 1, 1])),
                ("indices", ints(&[6])),
                ("data", ints(&[3])),
                ("shape", ints(&[8, 6]))
            ])
        )
);
broken!(
    draws,
    body!(
        "  pop a: Lif[3] { v = uniform(0, 1), tau ~ 3 ms, v_th ~ normal(1, -1) }\n  connect x -> img : all_to_all { weight ~ uniform(2, 1) }\n  let r = rand()"
    )
);
broken!(
    no_step,
    "use std.neurons.Lif\nnetwork N {\n  pop a: Lif[3]\n}\n"
);
broken!(
    plasticity,
    body!(
        "  connect p: x -> img[0] : all_to_all { synapse = Stdp(rate = 1), w ~ uniform(0, 1) }\n  modulate x -> p.reward\n  record p.w"
    )
);
broken!(
    parts,
    "use std.neurons.If\nmodule M(n: int, t: time = 1 ms) {\n  port in x: spikes[n]\n  port out y: spikes[n] = a\n  step 1 ms\n  pop a: If[n]\n  connect x -> a : one_to_one\n}\nnetwork N {\n  step 1 ms\n  port in z: spikes[1]\n  source s: events[4]\n  part m: M(4)\n  part k: M\n  part l: M(4, t = 3, u = 1)\n  connect s -> m.y : one_to_one\n  connect s -> m.z : one_to_one\n  connect m -> m.a : one_to_one\n  pop b: M[3]\n}\n"
);
broken!(
    loops,
    body!(
        "  for i in 0 .. 3 { pop layer: If[2] }\n  for i in 0 .. 3 { connect layer.(i) -> layer.(i + 1) : one_to_one { delay = 1 ms } }\n  for p in exc { record p }\n  for i in 0 .. 2.5 { record layer.0 }\n  connect layer -> img : all_to_all"
    )
);
broken!(
    fields,
    body!(
        "  pop a: Lif[3] { v_thr = 1, reset = substract, tau = \"long\" }\n  pop b: If[0]\n  pop c: If[2.5]\n  source y: events[2] { rate = 3 Hz }\n  source z: poison[2] { rate = 3 Hz }"
    )
);
broken!(
    types,
    "network N(n: int = 2.5, t: time = 3, f: path = 3, k: numbr = 1, m: int) {\n  step 1 ms\n  let b: voltage = 3 mA\n  let c0 = [1, 2]\n  let c = c0[5]\n  let d = \"a\" + 1\n  let e = 1 / 0\n  let f2 = not 3\n  let g = 2 mV ^ 0.5\n}\n"
);
broken!(
    experiments,
    "use std.neurons.If\nnetwork N {\n  step 1 ms\n  source x: events[2]\n  pop a: If[2]\n}\nexperiment e of N {\n  run 3 mV\n  feed x from load(\"x.csv\")\n  feed a from load(\"x.csv\")\n  feed x from load(\"none.csv\")\n}\nexperiment f of M { run 1 s }\n",
    Memory::default().with_events("x.csv", &[(0, 2, 1.0)])
);
broken!(
    syntax_errors_do_not_cascade,
    "use std.neurons.If\nnetwork N {\n  step 1 ms\n  pop a If[2]\n  source x: events[2]\n  connect x -> a : one_to_one\n  let v = 1 mV + 1 s\n}\n"
);
broken!(
    verified_errors,
    body!(
        "  connect exc -> inh : all_to_all { weight = 1 mV }\n  connect inh -> exc : all_to_all { weight = 1 mV }\n  connect inh -> inh : all_to_all { weight = 1 mV }"
    )
);
broken!(
    port_directions,
    "use std.neurons.If\nmodule M {\n  port in x: spikes[4]\n  port in i: real[4] = a.i\n  port out y: spikes[4] = a\n  port out z: spikes[3] = a\n  pop a: If[4]\n  connect a -> x : one_to_one\n  connect x -> a : one_to_one\n}\nnetwork N {\n  step 1 ms\n  source s: events[4]\n  part m: M\n  connect s -> m.i : one_to_one\n  connect s -> m.y : one_to_one\n  connect m.x -> m.i : one_to_one\n  record m.z\n}\n"
);
broken!(
    widths,
    "use targets.toy.Cell\nuse std.connect.{dense, convd}\nneuron Small(t: u8 = 1) {\n  state v: i8\n  input a: i32\n  on step { v = sat(v + a, 8); if v >= t { emit 1 } }\n}\nnetwork N {\n  source x: events[2]\n  pop a: Cell[2] { thr = 3000000000, leak = 1.5 }\n  pop b: Small[3] { t = 300, v = [1, -129, 3] }\n  connect x -> b[0 .. 2] : one_to_one { weight = 0.5, delay = 1 ms }\n}\n"
);
