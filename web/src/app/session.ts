import { Code } from "@connectrpc/connect";
import { identity } from "@/api/clients";
import { failureOf } from "@/api/errors";
import type { GetCallerResponse } from "@/gen/recordroute/gateway/v1/identity_pb";

/** The server did not take the token. */
export class SignInError extends Error {
  constructor(readonly status: number) {
    super(`the server answered ${status}`);
  }
}

/** Puts a token into the session's cookie, which scripts can't read. Throws SignInError where it is not valid. */
export async function signIn(token: string): Promise<void> {
  const response = await fetch("/session", {
    method: "POST",
    headers: { authorization: `Bearer ${token.trim()}` },
    credentials: "same-origin",
  });
  if (!response.ok) throw new SignInError(response.status);
}

export async function signOut(): Promise<void> {
  await fetch("/session", { method: "DELETE", credentials: "same-origin" });
}

/** Takes the token out of the address that `recordroute up` prints: it must not stay in the history. */
async function signInFromAddress(): Promise<void> {
  const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
  if (token === null) return;
  try {
    await signIn(token);
  } catch (error) {
    // An old token in a bookmark is no reason to refuse a session that stands; without one the sign-in page comes.
    // Where there is no server it is tried again as soon as there is one.
    if (!(error instanceof SignInError)) throw error;
  }
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
}

/** Returns who calls; null where nobody is signed in. */
export async function getCaller(): Promise<GetCallerResponse | null> {
  try {
    await signInFromAddress();
    return await identity.getCaller({});
  } catch (error) {
    if (failureOf(error).code === Code.Unauthenticated) return null;
    throw error;
  }
}
