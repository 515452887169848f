/** The part of the package's interface that is used here: it comes without types. */
declare module "fs-native-extensions" {
  /** Takes the lock of the whole file; false where another open file has it. Closing the file gives it back. */
  export function tryLock(fd: number): boolean;
}
