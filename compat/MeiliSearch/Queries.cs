namespace Meilisearch.QueryParameters
{
    public class DocumentsQuery
    {
        public int? Limit { get; set; }

        public int? Offset { get; set; }

        public List<string>? Fields { get; set; }

        public object? Filter { get; set; }
    }

    public class DeleteDocumentsQuery
    {
        public object? Filter { get; set; }
    }
}

namespace Meilisearch
{
    public class SearchQueryBase
    {
        public object? Filter { get; set; }

        public IEnumerable<string>? AttributesToRetrieve { get; set; }

        public string? MatchingStrategy { get; set; }

        public bool? ShowRankingScore { get; set; }
    }

    public class SearchQuery : SearchQueryBase
    {
        public int? Offset { get; set; }

        public int? Limit { get; set; }

        public int? HitsPerPage { get; set; }
    }

    public interface ISearchable<T>
    {
        IReadOnlyCollection<T> Hits { get; }
    }

    public class SearchResult<T> : ISearchable<T>
    {
        internal SearchResult(IReadOnlyCollection<T> hits, int estimatedTotalHits) => (Hits, EstimatedTotalHits) = (hits, estimatedTotalHits);

        public IReadOnlyCollection<T> Hits { get; }

        public int EstimatedTotalHits { get; }
    }

    public class PaginatedSearchResult<T> : ISearchable<T>
    {
        internal PaginatedSearchResult(IReadOnlyCollection<T> hits, int totalHits) => (Hits, TotalHits) = (hits, totalHits);

        public IReadOnlyCollection<T> Hits { get; }

        public int TotalHits { get; }
    }

    public class Result<T>
    {
        internal Result(T results, int? limit) => (Results, Limit) = (results, limit);

        public T Results { get; }

        public int? Limit { get; }
    }

    public class ResourceResults<T> : Result<T>
    {
        internal ResourceResults(T results, int? limit, int offset, int total)
            : base(results, limit) => (Offset, Total) = (offset, total);

        public int Offset { get; }

        public int Total { get; }
    }
}
