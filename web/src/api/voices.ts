import { VoiceService } from "@/gen/recordroute/gateway/v1/voice_pb";
import { clientOf } from "./transport";

/** Remembered voices: for the settings, and where a speaker is named. */
export const voices = clientOf(VoiceService);
