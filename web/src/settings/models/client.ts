import { clientOf } from "@/api/transport";
import { ModelService } from "@/gen/recordroute/gateway/v1/model_pb";

export const models = clientOf(ModelService);
/** Its name in the contract, `useModel`, is that of a hook in React. */
export const { useModel: chooseModel } = models;
