// Generated schedules: instances come, stay, move and go, while others begin to watch and read at their own pace. The
// same seed is the same schedule. The clock is paused, so a schedule of minutes takes no time.

use crate::clerk::{USERS, instance, millis, told};
use fastrand::Rng;
use lab_03_service_discovery::{EXPIRY_LAG, LeaseId, MAX_TTL, Refused, ServiceRegistry, Update};
use std::{
    collections::BTreeMap,
    iter,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use testkit::{History, Rule, Seen};
use tokio::{
    task::{JoinSet, yield_now},
    time::{Instant, sleep, sleep_until},
};
use tokio_stream::StreamExt as _;

/// Things are done at the beginning of a round. Leases end between two rounds, each instance's at a time of its own: so
/// it is known in which order things happen.
const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: u32 = 16;

/// The time between the ends of leases of two instances: longer than the lag with which watchers are told.
const BETWEEN: Duration = Duration::from_millis(350);

const IDS: [&str; 4] = ["a", "b", "c", "d"];

/// The watcher with this number asks for a list now and then.
const ASKS: u32 = 0;

/// A registration that lives.
struct Held {
    lease: LeaseId,
    address: String,
    ttl: Duration,
    end: Instant,
}

/// One schedule under way.
struct Schedule<'a> {
    rule: &'a Rule<'a>,
    history: &'a History,
    random: Rng,
    registry: ServiceRegistry,
    began: Instant,
    held: BTreeMap<&'static str, Held>,
    /// Leases that are over.
    over: Vec<LeaseId>,
    ports: u16,
    watchers: JoinSet<()>,
    /// How many have begun to watch.
    numbers: u32,
    /// Once it is set, every watcher reads as fast as it can.
    hurry: Arc<AtomicBool>,
}

/// Runs the schedule of a seed to its end, when every watcher has had its time.
pub async fn drive(rule: &Rule<'_>, seed: u64, history: &History) {
    let mut schedule = Schedule {
        rule,
        history,
        random: Rng::with_seed(seed),
        registry: ServiceRegistry::new(),
        began: Instant::now(),
        held: BTreeMap::new(),
        over: Vec::new(),
        ports: 0,
        watchers: JoinSet::new(),
        numbers: 0,
        hurry: Arc::default(),
    };
    schedule.history.record(Seen::WatchBegan { watcher: ASKS });
    for round in 1..=ROUNDS {
        schedule.until(schedule.began + ROUND * round).await;
        for _ in 0..schedule.random.u8(1..=4) {
            if schedule.random.u8(..3) == 0 {
                schedule.somebody_watches();
            }
            turns(schedule.random.u8(..3)).await;
            schedule.somebody_acts().await;
        }
    }
    schedule.settle().await;
}

async fn turns(turns: u8) {
    for _ in 0..turns {
        yield_now().await;
    }
}

impl Schedule<'_> {
    /// Lets time pass, and leases end.
    async fn until(&mut self, time: Instant) {
        loop {
            let next = self.held.iter().min_by_key(|(_, held)| held.end);
            let Some((&id, &Held { end, .. })) = next.filter(|(_, held)| held.end <= time) else { break };
            // A moment before: nobody can have been told yet.
            sleep_until(end - millis(1)).await;
            self.leaves(id);
            sleep_until(end + EXPIRY_LAG * 3 / 2).await;
        }
        sleep_until(time).await;
    }

    /// Writes down that an instance goes now. Its lease is over.
    fn leaves(&mut self, id: &'static str) {
        self.history.record(Seen::InstanceLeft { id: id.into() });
        self.over.extend(self.held.remove(id).map(|held| held.lease));
    }

    /// Begins to watch while other things go on, and reads on until it is dropped.
    fn somebody_watches(&mut self) {
        self.numbers += 1;
        let watcher = self.numbers;
        let (registry, history, hurry) =
            (self.registry.clone(), self.history.clone(), Arc::clone(&self.hurry));
        let mut random = self.random.fork();
        self.watchers.spawn(async move {
            turns(random.u8(..3)).await;
            history.record(Seen::WatchBegan { watcher });
            let mut updates = registry.watch(USERS).await;
            let pace = 1_400 * random.u64(..3);
            loop {
                if pace > 0 && !hurry.load(Ordering::Relaxed) {
                    sleep(millis(random.u64(..=pace))).await;
                }
                let Some(update) = updates.next().await else { return };
                history.record(Seen::WatcherTold { watcher, told: told(&update) });
            }
        });
    }

    async fn somebody_acts(&mut self) {
        let id = self.random.usize(..IDS.len());
        match self.random.u8(..12) {
            0..=3 => {
                // A time of its own between two rounds, and so many whole rounds.
                let ttl = BETWEEN * (id as u32 + 1) + ROUND * self.random.u32(..3);
                let moves = self.random.u8(..4) > 0;
                self.register(IDS[id], ttl, moves).await;
            }
            4..=6 => self.renew(IDS[id]).await,
            7 => self.renew_what_is_over().await,
            8 => {
                let Some(Held { lease, .. }) = self.held.get(IDS[id]) else { return };
                let lease = *lease;
                self.leaves(IDS[id]);
                self.rule.within("deregister returns", self.registry.deregister(lease)).await;
            }
            9 => {
                let Some(lease) = self.random.choice(&self.over).copied() else { return };
                self.history.did("a lease that is over is given up once more");
                self.rule.within("deregister returns", self.registry.deregister(lease)).await;
            }
            _ => self.ask().await,
        }
    }

    async fn register(&mut self, id: &'static str, ttl: Duration, moves: bool) {
        self.ports += 1;
        let mut new = instance(id, self.ports);
        if let Some(held) = self.held.get(id).filter(|_| !moves) {
            new.address.clone_from(&held.address);
            self.history.did(format!("{id} is registered at its address again"));
        } else {
            let address = new.address.clone();
            self.history.record(Seen::InstanceCame { id: id.into(), address });
        }
        let address = new.address.clone();
        let granted = self.rule.within("register returns", self.registry.register(USERS, new, ttl)).await;
        let Ok(lease) = granted else {
            self.rule.broken(format_args!("a lease for {id}"), format_args!("{granted:?}"));
        };
        let held = Held { lease, address, ttl, end: Instant::now() + ttl };
        self.over.extend(self.held.insert(id, held).map(|held| held.lease));
    }

    async fn renew(&mut self, id: &'static str) {
        let Some(held) = self.held.get_mut(id) else { return };
        self.history.did(format!("{id} is renewed"));
        let renewed = self.rule.within("renew returns", self.registry.renew(held.lease)).await;
        let expected = format_args!("{id} is renewed: its lease lives");
        self.rule.holds(renewed == Ok(()), expected, format_args!("{renewed:?}"));
        held.end = Instant::now() + held.ttl;
    }

    async fn renew_what_is_over(&mut self) {
        let Some(lease) = self.random.choice(&self.over).copied() else { return };
        self.history.did("a lease that is over shall be renewed");
        let renewed = self.rule.within("renew returns", self.registry.renew(lease)).await;
        let expected = "the renewal of a lease that is over is refused: LeaseOver";
        self.rule.holds(renewed == Err(Refused::LeaseOver), expected, format_args!("{renewed:?}"));
    }

    async fn ask(&mut self) {
        let there = self.rule.within("discover returns", self.registry.discover(USERS)).await;
        let told = told(&Update::Snapshot(there));
        self.history.record(Seen::WatcherTold { watcher: ASKS, told });
    }

    /// Nothing happens any more; everybody reads what there is to read.
    async fn settle(&mut self) {
        let stay: Vec<_> = self.held.keys().copied().chain(iter::once("z")).collect();
        for id in stay {
            self.register(id, MAX_TTL, false).await;
        }
        self.somebody_watches();
        self.hurry.store(true, Ordering::Relaxed);
        sleep(ROUND * 3).await;
        self.ask().await;
    }
}
