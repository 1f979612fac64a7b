using System.Runtime.CompilerServices;

namespace Microsoft.DurableTask;

/// <summary>Items that are fetched page by page as they are enumerated.</summary>
public abstract class AsyncPageable<T> : IAsyncEnumerable<T>
    where T : notnull
{
    /// <param name="continuationToken">Where to go on, from an earlier page; null: at the beginning.</param>
    /// <param name="pageSizeHint">Null: the page size of the query.</param>
    public abstract IAsyncEnumerable<Page<T>> AsPages(string? continuationToken = default, int? pageSizeHint = default);

    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var page in AsPages().WithCancellation(cancellationToken))
        {
            foreach (var item in page.Values) yield return item;
        }
    }
}

/// <param name="values">The items of this page; may be none.</param>
/// <param name="continuationToken">Leads to the next page; null on the last.</param>
public sealed class Page<T>(IReadOnlyList<T> values, string? continuationToken = null)
    where T : notnull
{
    public IReadOnlyList<T> Values { get; } = values;

    public string? ContinuationToken { get; } = continuationToken;
}

public static class Pageable
{
    /// <param name="pageFunc">Fetches a page from its continuation token (null: the first) and page size (null: the default).</param>
    public static AsyncPageable<T> Create<T>(Func<string?, int?, CancellationToken, Task<Page<T>>> pageFunc)
        where T : notnull => new Fetched<T>(pageFunc);

    private sealed class Fetched<T>(Func<string?, int?, CancellationToken, Task<Page<T>>> fetch) : AsyncPageable<T>
        where T : notnull
    {
        public override IAsyncEnumerable<Page<T>> AsPages(string? continuationToken = default, int? pageSizeHint = default) => Pages(continuationToken, pageSizeHint);

        private async IAsyncEnumerable<Page<T>> Pages(string? token, int? size, [EnumeratorCancellation] CancellationToken ct = default)
        {
            do
            {
                var page = await fetch(token, size, ct);
                yield return page;
                token = page.ContinuationToken;
            }
            while (token is not null);
        }
    }
}
