//! Checks all accounts together: one order of all calls, or a cycle.

use super::accounts::Accounts;
use super::{Anomaly, Call, Did};

/// The order constraints between calls, and points of time between them.
#[derive(Debug)]
struct Graph {
    after: Vec<Vec<usize>>,
    waits: Vec<usize>,
}

impl Graph {
    fn new(nodes: usize) -> Self {
        Self {
            after: vec![Vec::new(); nodes],
            waits: vec![0; nodes],
        }
    }

    fn edge(&mut self, before: usize, after: usize) {
        if before != after {
            self.after[before].push(after);
            self.waits[after] += 1;
        }
    }

    /// Repeatedly removes every call that can come first. The rest depends on a
    /// cycle.
    fn left_over(mut self) -> Option<Vec<usize>> {
        let nodes = self.waits.len();
        let mut free: Vec<usize> = (0..nodes).filter(|node| self.waits[*node] == 0).collect();
        let mut done = 0;
        while let Some(node) = free.pop() {
            done += 1;
            for next in std::mem::take(&mut self.after[node]) {
                self.waits[next] -= 1;
                if self.waits[next] == 0 {
                    free.push(next);
                }
            }
        }
        (done < nodes).then(|| self.walk())
    }

    /// Finds a cycle in the rest. Every call there depends on another one in the
    /// rest, so a walk backwards returns.
    fn walk(&self) -> Vec<usize> {
        let nodes = self.waits.len();
        let mut before = vec![None; nodes];
        for (node, next) in self.after.iter().enumerate() {
            if self.waits[node] > 0 {
                for next in next {
                    before[*next] = Some(node);
                }
            }
        }
        let mut at = (0..nodes).find(|node| self.waits[*node] > 0);
        let mut passed = vec![None; nodes];
        let mut way = Vec::new();
        while let Some(node) = at {
            if let Some(first) = passed[node] {
                let mut circle = way.split_off(first);
                circle.reverse();
                return circle;
            }
            passed[node] = Some(way.len());
            way.push(node);
            at = before[node];
        }
        way
    }
}

/// A cycle of calls that no order explains, if there is one.
pub(super) fn circle(calls: &[Call], accounts: &Accounts) -> Option<Anomaly> {
    // After the calls come the points of time at which they ended.
    let mut ends: Vec<u64> = calls.iter().map(|call| call.ended).collect();
    ends.retain(|end| *end < u64::MAX);
    ends.sort_unstable();
    let point = |index: usize| calls.len() + index;
    let mut graph = Graph::new(calls.len() + ends.len());
    for index in 1..ends.len() {
        graph.edge(point(index - 1), point(index));
    }
    for (index, call) in calls.iter().enumerate() {
        if matches!(call.did, Did::Unknown(_)) {
            continue;
        }
        if let Ok(end) = ends.binary_search(&call.ended) {
            graph.edge(index, point(end));
        }
        let before = ends.partition_point(|end| *end < call.began);
        if let Some(last) = before.checked_sub(1) {
            graph.edge(point(last), index);
        }
        if let Did::Read(seen) = &call.did {
            for seen in seen {
                let (last, next) = accounts.around(seen.account, seen.version);
                if let Some(made) = last {
                    graph.edge(made.call, index);
                }
                if let Some(made) = next {
                    graph.edge(index, made.call);
                }
            }
        }
    }
    for versions in accounts.made.values() {
        let mut versions = versions.values();
        let Some(mut last) = versions.next() else {
            continue;
        };
        for made in versions {
            graph.edge(last.call, made.call);
            last = made;
        }
    }
    let circle = graph.left_over()?.into_iter();
    let circle = circle.filter_map(|node| calls.get(node));
    let calls = circle.map(|call| call.began).collect();
    Some(Anomaly::Cycle { calls })
}
