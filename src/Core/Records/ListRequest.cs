using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>Which records a list is to have.</summary>
/// <param name="Query">The records; where they come by relevance, its order does not count, and its place is that of a search.</param>
/// <param name="Search">The text they are to match; null for none.</param>
/// <param name="IsByRelevance">Whether the best match comes first.</param>
public sealed record ListRequest(RecordQuery Query, string? Search, bool IsByRelevance);
