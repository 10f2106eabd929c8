import { useQuery } from "@tanstack/react-query";
import { keys } from "@/api/queries";
import { getCaller } from "@/app/session";
import { type GetCallerResponse, Scope } from "@/gen/recordroute/gateway/v1/identity_pb";

export type Caller = { caller: GetCallerResponse | null; canWrite: boolean; isAdmin: boolean };

/** Who is signed in, and what that access allows. */
export function useCaller(): Caller {
  const { data = null } = useQuery({ queryKey: keys.caller, queryFn: getCaller });
  const has = (scope: Scope) => data?.scopes.includes(scope) ?? false;
  return { caller: data, canWrite: has(Scope.WRITE), isAdmin: has(Scope.ADMIN) };
}
