import { clientOf } from "@/api/transport";
import { VocabularyService } from "@/gen/recordroute/gateway/v1/vocabulary_pb";

export const vocabulary = clientOf(VocabularyService);
