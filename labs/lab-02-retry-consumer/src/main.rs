//! The lab as a program, to play with on a broker. Given, and complete.
//!
//! `cargo run -p lab-02-retry-consumer -- produce "alice: ok" "bob: fail 2 times"`
//! `cargo run -p lab-02-retry-consumer -- consume`

use lab_02_retry_consumer as lab;

use lab::{DeadLetterQueue, Handler, HandlerError, RetryConsumer, RetryPolicy};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    message::{Headers as _, OwnedMessage},
    mocking::MockCluster,
    producer::{FutureProducer, FutureRecord},
};
use std::{
    collections::HashMap,
    env, fs, panic,
    path::Path,
    process::{self, ExitCode},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

type Failed = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: COMMAND [OPTION]...

  produce PAYMENT...      write payments, such as \"alice: ok\" or \"bob: fail 2 times\"
  consume                 handle them, until Ctrl-C
  offsets                 show how far the group has committed
  letters                 show the dead letters
  broker                  be a broker, for a machine without Docker: until Ctrl-C, and it keeps nothing

A payment is a key and a payload; what the bank does with it is its payload:
  ok                      it works
  slow                    it works, and takes 5 s
  fail N times            the bank is down for N attempts
  never                   the bank is down each time
  anything else           no bank understands it: a permanent error

  --brokers HOST:PORT     the broker; if not given, LABS_KAFKA_BOOTSTRAP or what `cargo xtask broker up` started
  --topic T               payments if not given
  --dead-letters T        payments.dead-letters if not given
  --group G               bank if not given
  --help                  say this and end";

/// Slow enough to be watched.
const POLICY: RetryPolicy =
    RetryPolicy { max_retries: 3, retry_delay: Duration::from_secs(2), max_delay: Duration::from_secs(10) };

/// The longest time for one question to the broker.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    panic::set_hook(Box::new(tell_of_panic));
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{failed}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failed> {
    let Some(options) = Options::parse(env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    match options.command.as_str() {
        "produce" => produce(&options).await,
        "consume" => consume(&options).await,
        "offsets" => offsets(&options).await,
        "letters" => letters(&options).await,
        "broker" => broker(&options).await,
        other => Err(format!("unknown command {other:?}\n\n{USAGE}").into()),
    }
}

/// What is not written yet is no crash.
fn tell_of_panic(panic: &panic::PanicHookInfo<'_>) {
    match panic.payload_as_str().and_then(|text| text.strip_prefix("not yet implemented: ")) {
        Some(todo) => eprintln!("Not written yet: {todo}\nHow far you are says: cargo xtask check lab-02"),
        None => eprintln!("{panic}"),
    }
}

async fn produce(options: &Options) -> Result<(), Failed> {
    if options.payments.is_empty() {
        return Err("produce what? For example: produce \"alice: ok\" \"bob: fail 2 times\"".into());
    }
    let producer: FutureProducer = options.connect().await?.create()?;
    for payment in &options.payments {
        let Some((key, payload)) = payment.split_once(':') else {
            return Err(format!("a payment has a key, as in \"alice: ok\"; {payment:?} has none").into());
        };
        let record = FutureRecord::to(&options.topic).key(key.trim()).payload(payload.trim());
        let there = producer.send(record, PATIENCE).await.map_err(|(error, _)| error)?;
        println!("{}/{}@{}  {payment}", options.topic, there.partition, there.offset);
    }
    Ok(())
}

async fn consume(options: &Options) -> Result<(), Failed> {
    let settings = options.connect().await?;
    let shutdown = CancellationToken::new();
    let (topic, group) = (options.topic.clone(), options.group.clone());
    let (dead_letters, stop) = (options.dead_letters.clone(), shutdown.clone());
    let mut consuming = tokio::spawn(async move {
        let dead_letters = DeadLetterQueue::new(&settings, &dead_letters)?;
        let bank = Bank { opened: Instant::now(), attempts: Mutex::default() };
        let consumer = RetryConsumer::new(&settings, &group, &[&topic], POLICY, dead_letters, bank)?;
        println!("{group} handles the payments in {topic}; Ctrl-C ends it");
        Ok::<_, Failed>(consumer.run(stop).await?)
    });
    let mut asked = AskedToStop::listen()?;
    let ended = tokio::select! {
        ended = &mut consuming => ended,
        () = asked.again() => {
            println!("shutting down; Ctrl-C again is a crash");
            shutdown.cancel();
            tokio::select! {
                ended = &mut consuming => ended,
                // Code that does not heed its shutdown may hold up the runtime's end as well.
                () = asked.again() => process::exit(130),
            }
        }
    };
    ended.map_err(|_| "It came no further.")??;
    println!("gone");
    Ok(())
}

/// A bank that does what a payment's payload says.
struct Bank {
    opened: Instant,
    /// Failed attempts, by partition and offset.
    attempts: Mutex<HashMap<(i32, i64), u32>>,
}

impl Handler for Bank {
    async fn handle(&self, record: &OwnedMessage) -> Result<(), HandlerError> {
        let place = (record.partition(), record.offset());
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            let attempt = attempts.entry(place).or_default();
            *attempt += 1;
            *attempt
        };
        let payload = text(record.payload());
        let say = |answer: &str| {
            let at = format!("+{:.1} s", self.opened.elapsed().as_secs_f64());
            let payment =
                format!("{}/{}@{}  {}: {payload}", record.topic(), place.0, place.1, text(record.key()));
            println!("{at:<9}{payment:<38}attempt {attempt}: {answer}");
        };
        let down = Err(HandlerError::Transient("the bank is down".into()));
        let result = match payload.split(' ').collect::<Vec<_>>()[..] {
            ["ok"] => Ok(()),
            ["slow"] => {
                say("begins");
                tokio::time::sleep(Duration::from_secs(5)).await;
                Ok(())
            }
            ["fail", n, _] if n.parse().is_ok_and(|n: u32| attempt > n) => Ok(()),
            ["fail", n, _] if n.parse::<u32>().is_ok() => down,
            ["never"] => down,
            _ => Err(HandlerError::Permanent(format!("the bank does not know {payload:?}"))),
        };
        match &result {
            Ok(()) => say("done"),
            Err(error) => say(&error.to_string()),
        }
        result
    }
}

async fn offsets(options: &Options) -> Result<(), Failed> {
    let mut settings = options.connect().await?;
    // It subscribes to nothing, so it asks for the group's offsets and is no member of it.
    let asking: BaseConsumer = settings.set("group.id", &options.group).create()?;
    for partition in partitions(&asking, &options.topic)? {
        let mut list = TopicPartitionList::new();
        list.add_partition(&options.topic, partition);
        let (_, end) = asking.fetch_watermarks(&options.topic, partition, PATIENCE)?;
        let committed = match asking.committed_offsets(list, PATIENCE)?.elements()[0].offset() {
            Offset::Offset(offset) => format!("committed {offset}"),
            _ => "nothing committed".to_owned(),
        };
        println!("{}/{partition}  {committed}, the next record will be {end}", options.topic);
    }
    Ok(())
}

async fn letters(options: &Options) -> Result<(), Failed> {
    let mut settings = options.connect().await?;
    settings.set("group.id", "unused").set("enable.auto.commit", "false").set("enable.partition.eof", "true");
    let reading: BaseConsumer = settings.create()?;
    let mut list = TopicPartitionList::new();
    let mut unread = partitions(&reading, &options.dead_letters)?;
    for &partition in &unread {
        list.add_partition_offset(&options.dead_letters, partition, Offset::Beginning)?;
    }
    reading.assign(&list)?;
    while !unread.is_empty() {
        match reading.poll(PATIENCE) {
            Some(Ok(letter)) => {
                println!("{}: {}", text(letter.key()), text(letter.payload()));
                for header in letter.headers().into_iter().flat_map(|headers| headers.iter()) {
                    println!("  {:18}  {}", header.key, text(header.value));
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => unread.retain(|&other| other != partition),
            Some(Err(error)) => return Err(error.into()),
            None => return Err("the broker does not answer".into()),
        }
    }
    Ok(())
}

async fn broker(options: &Options) -> Result<(), Failed> {
    let cluster = MockCluster::new(1)?;
    for (name, partitions) in options.topics() {
        cluster.create_topic(name, partitions, 1)?;
    }
    println!("--brokers {}", cluster.bootstrap_servers());
    AskedToStop::listen()?.again().await;
    Ok(())
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<Vec<i32>, Failed> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    Ok(metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions())
        .map(|partition| partition.id())
        .collect())
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "(none)".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Ctrl-C, and SIGTERM, which is how Kubernetes and systemd ask.
struct AskedToStop(Signal, Signal);

impl AskedToStop {
    fn listen() -> Result<Self, Failed> {
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    async fn again(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

/// What the command line says.
struct Options {
    command: String,
    payments: Vec<String>,
    brokers: Option<String>,
    topic: String,
    dead_letters: String,
    group: String,
}

impl Options {
    /// `None` when help is asked for.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, Failed> {
        let (mut plain, mut brokers) = (Vec::new(), None);
        let [mut topic, mut dead_letters, mut group] =
            ["payments", "payments.dead-letters", "bank"].map(str::to_owned);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value\n\n{USAGE}"));
            match word.as_str() {
                "--brokers" => brokers = Some(value()?),
                "--topic" => topic = value()?,
                "--dead-letters" => dead_letters = value()?,
                "--group" => group = value()?,
                "--help" | "-h" => return Ok(None),
                option if option.starts_with("--") => {
                    return Err(format!("unknown option {option}\n\n{USAGE}").into());
                }
                _ => plain.push(word),
            }
        }
        if plain.is_empty() {
            return Ok(None);
        }
        let command = plain.remove(0);
        Ok(Some(Self { command, payments: plain, brokers, topic, dead_letters, group }))
    }

    /// The topics, and how many partitions they have.
    fn topics(&self) -> [(&str, i32); 2] {
        [(&self.topic, 3), (&self.dead_letters, 1)]
    }

    /// Settings for a client of a broker that answers and has the topics.
    async fn connect(&self) -> Result<ClientConfig, Failed> {
        let named = || self.brokers.clone().or_else(|| env::var("LABS_KAFKA_BOOTSTRAP").ok());
        let brokers = named().or_else(|| warm(&env::current_dir().ok()?)).ok_or(
            "There is no broker. Start one with: cargo xtask broker up
Without Docker: cargo run -p lab-02-retry-consumer -- broker
If you have a Kafka, name it: --brokers HOST:PORT",
        )?;
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", &brokers);
        let admin: AdminClient<DefaultClientContext> = settings.create()?;
        let mut missing = Vec::new();
        for (name, partitions) in self.topics() {
            let known = admin.inner().fetch_metadata(Some(name), PATIENCE);
            let metadata = known.map_err(|_| {
                format!("No broker answers at {brokers}. Is it up? cargo xtask broker status")
            })?;
            if metadata.topics().iter().all(|topic| topic.partitions().is_empty()) {
                missing.push(NewTopic::new(name, partitions, TopicReplication::Fixed(-1)));
            }
        }
        if !missing.is_empty() {
            let limit = AdminOptions::new().request_timeout(Some(PATIENCE));
            for created in admin.create_topics(&missing, &limit).await? {
                created.map_err(|(name, why)| format!("the topic {name} cannot be created: {why}"))?;
            }
        }
        Ok(settings)
    }
}

/// The address that `cargo xtask broker up` has left.
fn warm(from: &Path) -> Option<String> {
    let file = from.ancestors().map(|dir| dir.join(".labs/broker.json")).find(|file| file.is_file())?;
    let told: serde_json::Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    Some(told.get("bootstrap")?.as_str()?.to_owned())
}
