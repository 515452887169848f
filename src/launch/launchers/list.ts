/** Every launcher by name. */
import type { Launcher, LauncherName } from "./launcher.ts";
import { kubernetes } from "./kubernetes.ts";
import { local } from "./local.ts";
import { ray } from "./ray.ts";
import { slurm } from "./slurm.ts";

export const launchers: Readonly<Record<LauncherName, Launcher>> = { local, slurm, ray, kubernetes };
