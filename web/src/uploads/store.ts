import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { UploadRecord } from "./types";

const NAME = "recordroute.uploads";

type Schema = DBSchema & { uploads: { key: string; value: UploadRecord; indexes: { user: string } } };

/** Where uploads are kept until they are done. */
export type UploadStore = {
  /** Returns the uploads of a user, in the order in which they were added. */
  all(user: string): Promise<UploadRecord[]>;
  put(record: UploadRecord): Promise<void>;
  delete(id: string): Promise<void>;
};

/** Keeps uploads in IndexedDB. */
export class IndexedUploads implements UploadStore {
  #database: Promise<IDBPDatabase<Schema>>;

  constructor() {
    this.#database = openDB<Schema>(NAME, 1, {
      upgrade: (database) => {
        database.createObjectStore("uploads", { keyPath: "id" }).createIndex("user", "user");
      },
    });
  }

  async all(user: string): Promise<UploadRecord[]> {
    const records = await (await this.#database).getAllFromIndex("uploads", "user", user);
    return records.sort((one, other) => one.addedAt - other.addedAt);
  }

  async put(record: UploadRecord): Promise<void> {
    await (await this.#database).put("uploads", record);
  }

  async delete(id: string): Promise<void> {
    await (await this.#database).delete("uploads", id);
  }
}
