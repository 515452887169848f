/** Trainings and array work on engines that exist: this machine, Slurm, Ray, Kubernetes. */
export {
  type ArrayPlan,
  arrayState,
  type ArrayState,
  readArray,
  type TaskArray,
  tasksOf,
  writeArray,
} from "./array.ts";
export { acceleratorOf } from "./devices.ts";
export { fetchModel, type FetchedModel } from "./fetch.ts";
export type { FirstStop } from "./first-stop.ts";
export { kindOf, readSubmitted, type Submitted } from "./folder.ts";
export type { Heartbeat, LastWords } from "../io/job-files.ts";
export { followJob, type FollowOptions, type JobEvent } from "./follow.ts";
export { type Job, readJob } from "./job.ts";
export { type JobState, launcherNames, type LauncherName, type Order, type Script } from "./launchers/launcher.ts";
export { launchArray, launchTraining, type LaunchOptions, prepareLater } from "./launch.ts";
export { jobNames, prepareJob, type PrepareOptions } from "./prepare.ts";
export { checkPython, pythonFor, type PythonFacts } from "./python.ts";
export { shellLine } from "./shell.ts";
export { findJobs, jobStatus, type JobStatus, type JobOutcome, type TrainingStatus } from "./status.ts";
export { askToStop, stopJob, type StopOptions } from "./stop.ts";
export { resumeJob, type ResumeOptions, submitJob, type Submission, type SubmitOptions } from "./submissions.ts";
export { comeAgain, finishArray, runTasks, type TaskOptions, type TasksDone } from "./task.ts";
