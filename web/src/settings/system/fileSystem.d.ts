/** https://wicg.github.io/file-system-access/: browsers that have it let a page write a file bit by bit. */
interface Window {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
}
