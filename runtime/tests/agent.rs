//! The example of an agent does what it says, on either engine.

#[path = "../examples/agent.rs"]
mod agent;

use agent::live;
use synfire_runtime::engine::gpu::adapters;
use synfire_runtime::session::Choice;

#[test]
fn the_agent_finds_its_food() {
    for food in [12, -7] {
        let life = live(Choice::Cpu, food).expect("it lives");
        assert_eq!(life.path.last(), Some(&food), "{life:?}");
        assert!(life.path.len() < 40, "{life:?}");
        assert!(
            life.path
                .windows(2)
                .all(|w| (food - w[1]).abs() <= (food - w[0]).abs())
        );
        assert!(life.mood > 0.25, "it has been rewarded: {life:?}");
        if !adapters().is_empty() {
            let other = live(Choice::Gpu, food).expect("it lives");
            assert_eq!((other.path, other.spikes), (life.path, life.spikes));
            assert!((other.mood - life.mood).abs() < 1e-4);
        }
    }
}
