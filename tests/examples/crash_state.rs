//! Makes a state again that the simulator's failure named: tells how it came about, exports it and
//! recovers it.
//!
//! ```text
//! ESE_FAMILY=roll ESE_PAGE=8 ESE_SEED=1 ESE_STATE='1:300:5' \
//!     cargo run --profile sim -p ese-tests --example crash_state
//! ```
//!
//! `ESE_STATE` is the text in brackets, several of them joined by `>` for cuts while recovering;
//! `ESE_EXPORT` is a directory for the files.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool of the tests")]

use std::path::PathBuf;

use ese_base::PageSize;
use ese_log::{dump_file, read_checkpoint};
use ese_os::Env;
use ese_pages::{Access, DbFile};
use ese_sim::{
    Recording, SimDisk, SimEnv, StateId,
    check::{Store, run},
    workload::Workload,
};
use ese_tests::sim::{EngineStore, Job, jobs_of, seeds};

fn main() {
    let ids = std::env::var("ESE_STATE").expect("ESE_STATE names the state");
    let job = jobs_of(&[page_size()], &seeds(1)).into_iter().next().expect("such a family exists");
    again(job, &ids);
}

fn page_size() -> PageSize {
    let kib: usize = std::env::var("ESE_PAGE").map_or(4, |text| text.parse().unwrap());
    PageSize::ALL.into_iter().find(|size| size.bytes() == kib * 1024).unwrap()
}

fn again(job: Job, ids: &str) {
    let (profile, settings) = job.family.at(job.page_size);
    let workload = Workload::generate(job.seed, &profile);
    let (env, disk) = SimEnv::new(job.seed);
    let ran = run::<EngineStore>(&settings, &workload, &workload.history(), &disk, &env);
    println!("the workload: {ran:?}");
    let mut recording: Recording = disk.recording();
    let mut disk = SimDisk::new();
    for id in ids.split('>') {
        let state = recording.state(StateId::parse(id.trim()).unwrap()).unwrap();
        println!("---- {}\n{}", state.description, recording.trace_until(state.op));
        disk = SimDisk::from_image(&state.image);
        export(&disk.image());
        let env = SimEnv::on(&disk, job.seed);
        match EngineStore::open(&env, &settings) {
            Ok(mut store) => match store.content() {
                Ok(content) => {
                    let found = workload.history().prefix_of(&content);
                    println!("recovered: prefix {found:?}, promised {}", state.mark);
                }
                Err(error) => println!("content: {error:#}"),
            },
            Err(error) => println!("open: {error:#}"),
        }
        recording = disk.recording();
    }
    drop(disk);
}

fn export(image: &ese_sim::Image) {
    let Ok(dir) = std::env::var("ESE_EXPORT") else { return };
    let (dir, env) = (PathBuf::from(dir), Env::real());
    drop(std::fs::remove_dir_all(&dir));
    image.export(env.fs.as_ref(), &dir).unwrap();
    let mut names: Vec<_> = image.files().map(|(path, _)| path.to_path_buf()).collect();
    names.sort();
    for path in names {
        let real = dir.join(path.strip_prefix("/").unwrap());
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("chk") => println!("---- checkpoint {:?}", read_checkpoint(&env, &real, None)),
            Some("edb") => match DbFile::open(&env, &real, Access::ReadOnly) {
                Ok(file) => println!("---- {} {:?}", path.display(), file.header()),
                Err(error) => println!("---- {error}"),
            },
            _ => {}
        }
        if path.extension().is_some_and(|ending| ending == "log") {
            println!("---- {}", path.display());
            let dumped = dump_file(&env, &real, &mut |line| {
                println!("{}", line.chars().take(300).collect::<String>());
                Ok(())
            });
            println!("{dumped:?}");
        }
    }
}
