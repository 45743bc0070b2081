//! One small example of each level.

const PROGRAM: &str = r#"
// A drive and two units that leak.
program toy: f32 seed 1 dt 0.001
model Lif {
  param decay: f32
  state v: f32
  state r: i16
  port i: f32 sum
  port syn: i32 sat_sum(65535)
  port kick: i32 max
  output rate = v
  on kick { %0 = arg.i32 %1 = wrap.i32 %0, 16, signed store r, %1 }
  step {
    %0 = state.f32 v   %1 = param.f32 decay
    %2 = mul.f32 %0, %1
    %3 = port.f32 i
    %4 = add.f32 %2, %3
    %5 = const.f32 1.0
    %6 = ge.bool %4, %5
    %7 = const.f32 -0.0
    %8 = select.f32 %6, %7, %4
    %9 = to_i32.i32 %6
    %10 = state.i32 r
    %11 = mul_shift.i32 %10, %10, 15, floor
    %12 = sat.i32 %11, 16
    %13 = rand.u32 0
    store v, %8
    store r, %12
    emit %9
  }
}
group in: external[3] phase 0 base 0
group exc: units Lif[2] phase 0 base 3 {
  param decay = 0.9
  init v = [0.0, 0x7fc00000]
  init r = 0
}
projection "in to exc": in[0..3] -> exc[0..2].i events rows f32 {
  0: d1 [0: 0.1, 1: 1e-7] d3 [1: inf]
  1:
  2: d0 [0: -0.5]
}
projection back: exc[0..2] -> exc[0..2].i output rate dense d2 uniform 0.25
projection kicks: in[1..3] -> exc[0..2].kick events one_to_one d1 i8 [-1, 127]
projection all: in[0..2] -> exc[0..2].syn events dense d1 i16 [1, 2, -3, 300]
probe exc.spikes: exc[0..2] events every 1
probe exc.v: exc[0..1] state v every 10
"#;

const SERIAL: &str = r#"
program chip: integer seed 0
model Neuron {
  state v: i8
  port w: i32 sum
  port leak: i32 sum
  on w { %0 = arg.i32 %1 = state.i32 v %2 = add.i32 %0, %1 %3 = sat.i32 %2, 8 store v, %3 emit %3 }
  on leak { }
  step { }
}
group rows: external[3] phase 0 base 0
group units: units Neuron[2] phase 0 base 3 { init v = 0 }
projection matrix: rows[0..3] -> units[0..2].w events dense d0 i8 [1, 2, 3, 4, 5, 6]
serial units matrix matrix capacity 16 {
  closed_loop popped sorted
  loopback 1 d2 -> 0
  tail row 2
  tail direct leak value -1 units 0..=1 queued
  tail step units 0..=1
}
"#;

const NETWORK: &str = r#"
network toy dt 0.001 seed 7 run 100
array "weights.npz:w" f64 shape [2, 3] [0.5, 0.0, 1.0, 0.25, -1.0, 1e-300]
array b f32 shape [2] [0.1, 0.2]
array pre i32 shape [1] [0] array post i32 shape [1] [1]
neuron {
  doc "Leaky integrate-and-fire.\nA line."
  spikes
  model Lif {
    param decay: f32
    state v: f32
    port i: f32 sum
    output rate = v
    step { %0 = port.f32 i store v, %0 }
  }
  field tau: time = 0.02
  field reset: real whole choices [zero, subtract] = 0.0
  field "dt": [1, 0, -2, 0] = mul(2.0, tau)
  column decay = exp(neg(div(dt, if(gt(tau, "dt"), tau, poisson_cdf(3, tau)))))
  init v = 0.0
  state_dimension v: voltage
  port_dimension i: current
}
source in[3]: events
source light[2, 1]: events graded @0:5..9
population exc[2]: neurons Lif {
  tau = normal_clipped(0.02, 0.001, 0.01, 0.03)
  v = array b
} @0:10..50
projection p: in[0..3] -> exc[0..2].i events {
  rule dense weight array "weights.npz:w"
  delay 1.0
  bias 0.5
  trainable
}
projection q: exc[0..2] -> exc[0..2].i output rate {
  rule fixed_indegree 1 self_connections multapses weight lognormal(0.0, 1.0)
  delay uniform_int(1, 3)
} @0:60..70
projection r: light[0..2] -> exc[0..2].i events {
  rule conv2d input [1, 2, 1] channels 1 kernel [1, 1] stride [1, 1] padding [0, 0] dilation [1, 1] groups 1 weight 2.0
  rule pool2d input [1, 2, 1] kernel [1, 1] stride [1, 1] padding [0, 0] average weight 1.0
  rule scale weight array b
  delay 0.0
}
projection s: in[0..2] -> exc[0..2].i events { rule list pre post weight 1.0 delay 2.0 }
record exc[0..2] spikes every 1
record exc[0..1] state v every 10
feed in [(0, 1, 1), (5, 0, 3)]
feed light [(0, 1, 0.5)]
hint exc partition together
hint "" seed "any thing"
"#;

const MAPPING: &str = r#"
mapping toy onto chip dialect "std/2" mesh 2 1 closed_loop
setting leak = -3
fields [threshold, reset]
population in: 2 shift 0 driven
population exc: 2 shift 1 recorded
core 0: chip 0 at 1, 0 {
  axon 0: address 4 class 1 in[0] d1
  axon 1: address 5 class 0 exc[1] d2
  neuron 0: exc[0] copy 0 fields [10, 0] -> output 0
  neuron 1: exc[1] copy 0 fields [9223372036854775807, -1] -> core 1 axon 0 d3
  synapses of 0 [0: -5, 1: 7]
  synapses of 1 [0: 1]
}
core 1: chip 0 at 0, 0 {
  axon 0: address 0 class 0 exc[1] d3
  neuron 0: exc[1] copy 1 fields [10, 0] -> nowhere
}
input in[0] -> core 0 axon 0 after 1
output 0: exc[0]
loopback core 1 neuron 0 d1 -> core 0 axon 1
"#;

macro_rules! example {
    ($name:ident, $module:ident, $text:ident) => {
        #[test]
        fn $name() {
            use synfire_ir::$module::{parse, print};
            let value = parse("example", $text).unwrap_or_else(|d| panic!("{d}"));
            let text = print(&value);
            assert_eq!(print(&parse("again", &text).expect("just printed")), text);
            insta::assert_snapshot!(text);
        }
    };
}

example!(program_example, program, PROGRAM);
example!(serial_example, program, SERIAL);
example!(network_example, network, NETWORK);
example!(mapping_example, mapping, MAPPING);

#[test]
fn the_examples_are_sound() {
    use synfire_ir::{network, program};
    for text in [PROGRAM, SERIAL] {
        let p = program::parse("p", text).expect("an example");
        assert_eq!(program::check(&p).to_string(), "");
    }
    let net = network::parse("n", NETWORK).expect("an example");
    network::verify(net).unwrap_or_else(|d| panic!("{d}"));
}
