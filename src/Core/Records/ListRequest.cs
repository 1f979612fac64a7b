using NodeStash.Core.Storage;

namespace NodeStash.Core.Records;

/// <summary>Describes one page of a list that a client requests.</summary>
/// <param name="Query">The query for the page. By relevance, its order is ignored, and its position is a position among search hits.</param>
/// <param name="Search">The text that records must match; null for no search.</param>
/// <param name="IsByRelevance">Whether the best match comes first.</param>
public sealed record ListRequest(RecordQuery Query, string? Search, bool IsByRelevance);
