use std::sync::Arc;
use std::time::Duration;

use crate::Clock;

use super::world::World;
use super::{Rng, SeededFaults};

/// How many times something happens before peace is made.
const EVENTS: u32 = 10;

/// Kills and restarts processes, sets the clock back, then makes peace.
#[derive(Debug)]
pub(super) struct Chaos {
    pub(super) world: Arc<World>,
    pub(super) faults: Arc<SeededFaults>,
    pub(super) rng: Rng,
}

impl Chaos {
    pub(super) async fn run(self) {
        let world = &self.world;
        for _ in 0..EVENTS {
            world.clock.sleep(self.rng.delay(250)).await;
            match self.rng.below(10) {
                0..4 => {
                    let process = self.rng.index(world.processes.count());
                    world.trace.note(&format!("process {process} dies"));
                    world.processes.kill(process);
                    world.clock.sleep(self.rng.delay(300)).await;
                    world.trace.note(&format!("process {process} starts"));
                    world.processes.start(process);
                }
                4..6 => {
                    let process = self.rng.index(world.processes.count());
                    world.trace.note(&format!("process {process} shuts down"));
                    world.processes.shut_down(process).await;
                    world.trace.note(&format!("process {process} starts"));
                    world.processes.start(process);
                }
                6..8 => {
                    let back = Duration::from_millis(self.rng.below(400));
                    world
                        .trace
                        .note(&format!("the clock steps back by {back:?}"));
                    world.clock.step_back(back);
                }
                _ => {}
            }
        }
        world.trace.note("peace");
        self.faults.calm();
        world.finished();
    }
}
