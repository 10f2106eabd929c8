/** Returns the values in groups of at most so many, in order. */
export function inGroups<T>(values: readonly T[], most: number): T[][] {
  const groups: T[][] = [];
  for (let start = 0; start < values.length; start += most) groups.push(values.slice(start, start + most));
  return groups;
}
