import { IdentityService } from "@/gen/recordroute/gateway/v1/identity_pb";
import { LibraryService } from "@/gen/recordroute/gateway/v1/library_pb";
import { SystemService } from "@/gen/recordroute/gateway/v1/system_pb";
import { WatchService } from "@/gen/recordroute/gateway/v1/watch_pb";
import { WorkflowService } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { clientOf } from "./transport";

/** The services that every page needs; those of one page only are made beside it, so that they load with it. */
export const identity = clientOf(IdentityService);
export const library = clientOf(LibraryService);
export const system = clientOf(SystemService);
export const watching = clientOf(WatchService);
export const workflows = clientOf(WorkflowService);
