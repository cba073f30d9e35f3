/** Names the query of the list of buckets. */
export const bucketsKey = ['buckets'] as const;
