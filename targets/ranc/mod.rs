//! RANC: a grid of binary-crossbar cores in the manner of TrueNorth, as its simulator and as its Verilog.
