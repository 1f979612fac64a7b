using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Support.Clocks;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Search;

/// <summary>A search server that is new, or has lost what it had. The clock stands still, so that no timer comes to help.</summary>
public sealed class NewIndexTests(NewIndexTests.ForgetfulServer server) : IClassFixture<NewIndexTests.ForgetfulServer>
{
    [Fact]
    public async Task The_next_change_has_the_index_made_and_waits_for_it_without_a_fault()
    {
        var api = (await server.NewWorkspace()).Owner;
        server.Forget();

        var contact = await api.Create("contacts", new { first_name = "Zeppelin" });
        await server.Indexed();
        await server.Rebuilt(() => api.Get("/v1/contacts?search=zeppelin"), _ => { });

        Assert.Equal([contact.Id], (await api.Get("/v1/contacts?search=zeppelin")).Is(200).Ids);
        Assert.Equal([(LogLevel.Warning, "Changes wait to be indexed: new", null)], server.Logged("Indexing"));
        Assert.Empty(server.Logged("Triggers"));
    }

    [Fact]
    public async Task A_search_meanwhile_is_refused_with_a_warning_and_no_trace()
    {
        var api = (await server.NewWorkspace()).Owner;
        server.Forget();

        (await api.Get("/v1/contacts?search=zeppelin")).IsError(503, "UNAVAILABLE");

        var (level, text, problem) = server.Logged("Http.Api").Last(line => line.Level > LogLevel.Information);
        Assert.Equal((LogLevel.Warning, null), (level, problem));
        Assert.StartsWith("A search is refused for now: new", text, StringComparison.Ordinal);
    }

    /// <summary>Its index can be made to forget that it is complete.</summary>
    public sealed class ForgetfulServer : Server
    {
        private readonly ConcurrentQueue<(string By, LogLevel Level, string Text, Exception? Fault)> lines = new();

        /// <summary>Environments that the index has come to know since it was new.</summary>
        private readonly ConcurrentDictionary<Partition, bool> known = new();

        private volatile bool isNew;

        /// <summary>Makes it new: it knows no environment, until it is told that it knows all.</summary>
        public void Forget()
        {
            known.Clear();
            isNew = true;
        }

        protected override TimeProvider Time { get; } = new SettableClock(SettableClock.SomeDay);

        protected override Func<ISearchIndexes, ISearchIndexes>? Search => indexes => new Indexes(indexes, this);

        /// <summary>What was logged by classes of a namespace or by a class, information aside.</summary>
        public IReadOnlyList<(LogLevel Level, string Text, Exception? Fault)> Logged(string by) =>
        [
            .. from line in lines
               where line.Level > LogLevel.Information && line.By.Contains($".{by}", StringComparison.Ordinal)
               select (line.Level, line.Text, line.Fault),
        ];

        protected override void Replace(IServiceCollection services) => services.AddSingleton<ILoggerProvider>(_ => new Log(lines));

        private bool Knows(Partition partition) => !isNew || known.ContainsKey(partition);

        private void Look(Partition partition)
        {
            if (!Knows(partition)) throw new SearchUnavailableException("new") { IsBeingMade = true };
        }

        private sealed class Indexes(ISearchIndexes indexes, ForgetfulServer server) : ISearchIndexes
        {
            public ISearchIndex Open(Partition partition) => new Index(indexes.Open(partition), server);

            public ValueTask Check(CancellationToken ct) => indexes.Check(ct);

            public async ValueTask<IReadOnlyList<IndexState>> States(IReadOnlyList<Partition> partitions, CancellationToken ct) =>
                [.. (await indexes.States(partitions, ct)).Select(state => state with { IsSound = state.IsSound && server.Knows(state.Partition) })];

            public ValueTask Complete(CancellationToken ct)
            {
                server.isNew = false;
                return indexes.Complete(ct);
            }
        }

        private sealed class Index(ISearchIndex index, ForgetfulServer server) : ISearchIndex
        {
            public Partition Partition => index.Partition;

            public ValueTask<SearchPage> Find(SearchQuery query, CancellationToken ct)
            {
                server.Look(Partition);
                return index.Find(query, ct);
            }

            public ValueTask<IReadOnlyDictionary<string, int>> Count(IReadOnlyList<string> types, string text, CancellationToken ct)
            {
                server.Look(Partition);
                return index.Count(types, text, ct);
            }

            public ValueTask Write(IReadOnlyList<SearchChange> changes, CancellationToken ct)
            {
                server.Look(Partition);
                return index.Write(changes, ct);
            }

            public ValueTask BeginRebuild(string rebuild, CancellationToken ct)
            {
                server.known[Partition] = true;
                return index.BeginRebuild(rebuild, ct);
            }

            public ValueTask<bool> Fill(string rebuild, IReadOnlyList<SearchChange> changes, CancellationToken ct) => index.Fill(rebuild, changes, ct);

            public ValueTask EndRebuild(string rebuild, CancellationToken ct) => index.EndRebuild(rebuild, ct);
        }

        private sealed class Log(ConcurrentQueue<(string By, LogLevel Level, string Text, Exception? Fault)> lines) : ILoggerProvider
        {
            public ILogger CreateLogger(string categoryName) => new Logger(categoryName, lines);

            public void Dispose()
            {
            }
        }

        private sealed class Logger(string category, ConcurrentQueue<(string By, LogLevel Level, string Text, Exception? Fault)> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Enqueue((category, logLevel, formatter(state, exception), exception));
        }
    }
}
