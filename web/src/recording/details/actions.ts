/** What the audit log calls by the names of RPCs, for people. */
const ACTIONS = {
  UploadRecording: "action_upload",
  CompleteUpload: "action_upload",
  CreateUpload: "action_upload",
  GetRecording: "action_read",
  GetTranscript: "action_read",
  GetMinutes: "action_read",
  UpdateRecording: "action_update",
  BulkEdit: "action_update",
  EditTranscript: "action_edit",
  RevertTranscript: "action_revert",
  DeleteRecording: "action_delete",
  RestoreRecording: "action_restore",
  Export: "action_export",
  ExportLibrary: "action_export",
  DownloadArtifact: "action_download",
  ShareRecording: "action_share",
  UnshareRecording: "action_unshare",
  StartWorkflow: "action_start",
  StartWorkflows: "action_start",
  CancelWorkflow: "action_cancel",
  RetryWorkflow: "action_retry",
} as const;

/** Returns the key of the translation for an action, for instance "LibraryService/Export"; null for others. */
export function actionKey(action: string): (typeof ACTIONS)[keyof typeof ACTIONS] | null {
  const method = action.split("/").at(-1) ?? "";
  return isKnown(method) ? ACTIONS[method] : null;
}

function isKnown(method: string): method is keyof typeof ACTIONS {
  return Object.hasOwn(ACTIONS, method);
}
