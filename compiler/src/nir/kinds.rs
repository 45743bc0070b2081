//! From fields to the parameters of each node type.
//!
//! In: the fields of a node and the name of its type. Out: [`NirKind`]; every field that is missing or does not fit is
//! told, not only the first.

use super::fields::Fields;
use super::graph::{Conv, NirKind, Pool};
use super::parse::unknown_type;
use super::report::Report;

impl Fields {
    fn conv(&mut self, axes: usize, report: &mut Report) -> Option<Conv> {
        let step = "whole numbers of at least 1";
        let spatial = "the lengths of the spatial axes";
        let input_shape = self.lengths("input_shape", &[1, axes], 1, spatial, report);
        let weight = self.array(
            "weight",
            "(out channels, in channels / groups, kernel...)",
            report,
        );
        let stride = self.required_lengths("stride", &[1, axes], 1, step, report);
        let padding = self.padding(axes, report);
        let dilation = self.required_lengths("dilation", &[1, axes], 1, step, report);
        let groups =
            self.required_lengths("groups", &[1], 1, "a whole number of at least 1", report);
        let bias = self.array("bias", "(out channels), zeros when there is none", report);
        let input_shape = match input_shape {
            None => None,
            Some(None) => return None,
            Some(Some(one)) if one.len() == 1 => Some(one.repeat(axes)),
            Some(all) => all,
        };
        Some(Conv {
            input_shape,
            weight: weight?,
            stride: stride?,
            padding: padding?,
            dilation: dilation?,
            groups: groups?.first().copied()?,
            bias: bias?,
        })
    }

    fn pool(&mut self, report: &mut Report) -> Option<Pool> {
        let at_least_1 = "one or two whole numbers of at least 1";
        let kernel_size = self.required_lengths("kernel_size", &[1, 2], 1, at_least_1, report);
        let stride = self.required_lengths("stride", &[1, 2], 1, at_least_1, report);
        let at_least_0 = "one or two whole numbers of at least 0";
        let padding = self.required_lengths("padding", &[1, 2], 0, at_least_0, report);
        Some(Pool {
            kernel_size: kernel_size?,
            stride: stride?,
            padding: padding?,
        })
    }

    fn flatten(&mut self, report: &mut Report) -> Option<NirKind> {
        let wanted = "the lengths of the axes";
        let input_type = self.lengths("input_type", &[], 1, wanted, report);
        let mut axis = |field, default| self.one_int(field, default, report);
        let start_dim = axis("start_dim", 1);
        let end_dim = axis("end_dim", -1);
        let input_type = match input_type {
            Some(None) => return None,
            other => other.flatten(),
        };
        Some(NirKind::Flatten {
            input_type,
            start_dim: start_dim?,
            end_dim: end_dim?,
        })
    }

    /// Builds the node's parameters for that type; every misfit is reported.
    pub fn kind(&mut self, type_name: &str, report: &mut Report) -> Option<NirKind> {
        let lengths = "the lengths of the axes, each at least 1";
        match type_name {
            "Input" => {
                let shape = self.required_lengths("shape", &[], 1, lengths, report);
                Some(NirKind::Input { shape: shape? })
            }
            "Output" => {
                let shape = self.required_lengths("shape", &[], 1, lengths, report);
                Some(NirKind::Output { shape: shape? })
            }
            "Affine" => {
                let weight = self.array("weight", "a matrix (out, in)", report);
                let bias = self.array(
                    "bias",
                    "a vector (out); use Linear when there is none",
                    report,
                );
                Some(NirKind::Affine {
                    weight: weight?,
                    bias: bias?,
                })
            }
            "Linear" => {
                let weight = self.array("weight", "a matrix (out, in)", report);
                Some(NirKind::Linear { weight: weight? })
            }
            "Conv1d" => self.conv(1, report).map(NirKind::Conv1d),
            "Conv2d" => self.conv(2, report).map(NirKind::Conv2d),
            "SumPool2d" => self.pool(report).map(NirKind::SumPool2d),
            "AvgPool2d" => self.pool(report).map(NirKind::AvgPool2d),
            "Flatten" => self.flatten(report),
            other => self.elementwise(other, report),
        }
    }

    fn elementwise(&mut self, type_name: &str, report: &mut Report) -> Option<NirKind> {
        let mut required = |field| self.array(field, "an array of the node's shape", report);
        match type_name {
            "Scale" => Some(NirKind::Scale {
                scale: required("scale")?,
            }),
            "Delay" => Some(NirKind::Delay {
                delay: required("delay")?,
            }),
            "Threshold" => Some(NirKind::Threshold {
                threshold: required("threshold")?,
            }),
            "I" => Some(NirKind::I { r: required("r")? }),
            "LI" => {
                let (tau, r, v_leak) = (required("tau"), required("r"), required("v_leak"));
                Some(NirKind::LI {
                    tau: tau?,
                    r: r?,
                    v_leak: v_leak?,
                })
            }
            "IF" => {
                let (r, v_threshold) = (required("r"), required("v_threshold"));
                let v_reset = self.optional_array("v_reset", report);
                Some(NirKind::IF {
                    r: r?,
                    v_threshold: v_threshold?,
                    v_reset,
                })
            }
            "LIF" => {
                let (tau, r) = (required("tau"), required("r"));
                let (v_leak, v_threshold) = (required("v_leak"), required("v_threshold"));
                let v_reset = self.optional_array("v_reset", report);
                let v_threshold = v_threshold?;
                Some(NirKind::LIF {
                    tau: tau?,
                    r: r?,
                    v_leak: v_leak?,
                    v_threshold,
                    v_reset,
                })
            }
            "CubaLI" => {
                let (tau_syn, tau_mem) = (required("tau_syn"), required("tau_mem"));
                let (r, v_leak) = (required("r"), required("v_leak"));
                let w_in = self.optional_array("w_in", report);
                let (tau_syn, tau_mem) = (tau_syn?, tau_mem?);
                Some(NirKind::CubaLI {
                    tau_syn,
                    tau_mem,
                    r: r?,
                    v_leak: v_leak?,
                    w_in,
                })
            }
            "CubaLIF" => {
                let (tau_syn, tau_mem, r) =
                    (required("tau_syn"), required("tau_mem"), required("r"));
                let (v_leak, v_threshold) = (required("v_leak"), required("v_threshold"));
                let v_reset = self.optional_array("v_reset", report);
                let w_in = self.optional_array("w_in", report);
                let (tau_syn, tau_mem, r, v_leak) = (tau_syn?, tau_mem?, r?, v_leak?);
                let v_threshold = v_threshold?;
                Some(NirKind::CubaLIF {
                    tau_syn,
                    tau_mem,
                    r,
                    v_leak,
                    v_threshold,
                    v_reset,
                    w_in,
                })
            }
            unknown => {
                report.push(&self.path, unknown_type(unknown, &self.name));
                // Its fields cannot be judged.
                self.values.clear();
                None
            }
        }
    }
}
