//! Stafett on one machine: the same functions, each as a process of its own through the Lambda Runtime API, with
//! emulated AWS endpoints that are created from `infra/aws/template.yaml` and a simulator of Skolverket.

pub mod aws;
pub mod clock;
pub mod data_dir;
pub mod dynamodb;
pub mod emulator;
pub mod entry;
pub mod forward;
pub mod functions;
pub mod gateway;
pub mod kill_switch;
pub mod logs;
pub mod loopback;
pub mod meter;
pub mod metrics;
pub mod notice;
pub mod options;
pub mod pace;
pub mod packages;
pub mod pollers;
pub mod process;
pub mod queues;
pub mod runtime_api;
pub mod show;
pub mod simulator;
pub mod sqs;
pub mod ssm;
pub mod stack;
pub mod template;
