//! An agent in an environment: a network that looks, moves and is rewarded, turn by turn.
//!
//! `cargo run -p synfire-runtime --example agent`
//!
//! The world is a line of places; food lies on one of them. The agent has two eyes, one for food to its left and one for food to its
//! right, and two motors. In each turn it sees (an eye fires a few times), thinks for 20 ms, and moves by what its motors fired. Coming nearer
//! is rewarded, which makes its motors more excitable for a while.

use synfire_ir::Diagnostics;
use synfire_runtime::session::{Choice, Plan, Session};

/// The network in the text form of programs; the compiler makes such programs from `.syn` and NIR files.
const PROGRAM: &str = include_str!("agent.program");

/// What became of the agent.
#[derive(Debug, PartialEq)]
pub struct Life {
    /// Where it was after each turn.
    pub path: Vec<i64>,
    /// How excitable its motors were at the end.
    pub mood: f64,
    /// Spikes of both motors in its whole life.
    pub spikes: u64,
}

/// Looks once: the eye on the food's side fires four times, in as many steps.
fn see(agent: &mut Session, place: i64, food: i64) -> Result<(), Diagnostics> {
    let eye = if food < place { 0 } else { 1 };
    for _ in 0..4 {
        agent.inject("eyes", eye, 1.0)?;
        agent.step(1)?;
    }
    Ok(())
}

/// Lives until the food is found, or for 100 turns.
pub fn live(engine: Choice, food: i64) -> Result<Life, Diagnostics> {
    let program = synfire_ir::program::parse("agent.program", PROGRAM)?;
    let plan = Plan::ideal(program, &[true, true, false], vec![], Default::default());
    let mut agent = plan.open(engine, 1, 1)?;
    // A right motor that is a little slower than the left one.
    agent.set_parameter("motors", "threshold", &[1.0, 1.1])?;
    let (mut place, mut path) = (0i64, vec![]);
    while place != food && path.len() < 100 {
        see(&mut agent, place, food)?;
        agent.step(16)?;
        let before = (food - place).abs();
        for spike in agent.spikes() {
            place += if spike.neuron == 0 { -1 } else { 1 };
            if place == food {
                break;
            }
        }
        if (food - place).abs() < before {
            agent.reward("reward", 1.0)?;
        }
        path.push(place);
    }
    let mood = agent.state("motors", "mood")?[0];
    let spikes = agent.count("motors")?;
    Ok(Life { path, mood, spikes })
}

#[allow(dead_code)]
fn main() {
    match live(Choice::Cpu, 12) {
        Ok(life) => println!("{life:?}"),
        Err(e) => println!("{e}"),
    }
}
