using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NodeStash.LocalHost.Triggers;

/// <summary>
/// Runs the change feed functions. Each has its own lease (its prefix, or its name), which advances only after the function has returned. So every change
/// is seen at least once and in order. A function that throws gets the same batch again until it succeeds, without delaying the others.
/// </summary>
/// <remarks>
/// A new lease always starts at the first change, and ignores <see cref="CosmosDBTriggerAttribute.StartFromBeginning"/>: starting at the current change
/// would lose commits made while the process starts. The database, container and connection of the trigger are ignored: there is one feed.
/// </remarks>
public sealed partial class ChangeFeedTriggers : BackgroundService
{
    private const int DefaultBatchSize = 100;

    private static readonly TimeSpan defaultPollDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan batchingDelay = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan firstRetryDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan maxRetryDelay = TimeSpan.FromSeconds(30);

    private readonly List<Reader> readers;
    private readonly IChangeFeed feed;
    private readonly IServiceScopeFactory scopes;
    private readonly TimeProvider clock;
    private readonly ILogger<ChangeFeedTriggers> log;

    /// <exception cref="InvalidFunctionsException">Two functions share a lease, so each would miss the changes that the other has seen.</exception>
    public ChangeFeedTriggers(FunctionCatalog catalog, IChangeFeed feed, IServiceScopeFactory scopes, TimeProvider clock, ILogger<ChangeFeedTriggers> log)
    {
        this.feed = feed;
        this.scopes = scopes;
        this.clock = clock;
        this.log = log;
        readers = [.. catalog.TriggeredBy<CosmosDBTriggerAttribute>().Select(f => new Reader(f.Function, f.Trigger))];
        var shared = readers.GroupBy(reader => reader.Lease, StringComparer.Ordinal).Where(group => group.Skip(1).Any());
        var errors = shared.Select(group => $"{string.Join(" and ", group.Select(reader => reader.Function))} share the lease \"{group.Key}\"").ToList();
        if (errors.Count > 0) throw new InvalidFunctionsException(errors);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(readers.Select(reader => Task.Run(() => ReadFeed(reader, stoppingToken), CancellationToken.None)));

    [SuppressMessage("Design", "CA1031", Justification = "A function may throw anything; the exception is logged and the batch retried.")]
    private async Task ReadFeed(Reader reader, CancellationToken ct)
    {
        long? position = null;
        var failures = 0;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                position ??= await feed.Checkpoint(reader.Lease, ct);
                var (reached, isFull) = await RunBatch(reader, position.Value, ct);
                position = reached;
                failures = 0;
                if (isFull) continue;

                // Wait briefly, so that changes in quick succession share a batch and a write of the lease.
                await Task.Delay(batchingDelay, TimeProvider.System, ct);
                await WaitForChanges(reader, reached, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                var wait = GetRetryDelay(++failures);
                Failed(log, e, reader.Function.Name, position, failures, wait);
                await Task.Delay(wait, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Runs one batch. Returns the position of the lease, and whether more changes are likely.</summary>
    private async Task<(long Reached, bool IsFull)> RunBatch(Reader reader, long position, CancellationToken ct)
    {
        var page = await feed.Read(position, reader.Limit, ct);
        if (page.Documents.Count > 0)
        {
            await using var scope = scopes.CreateAsyncScope();
            await reader.Function.Run(scope.ServiceProvider, reader.Batch(page.Documents), ct);
        }

        // The batch is done, so store the position even if the process is stopping.
        if (page.Position > position) await feed.Advance(reader.Lease, page.Position, CancellationToken.None);
        return (page.Position, page.Documents.Count >= reader.Limit);
    }

    private async Task WaitForChanges(Reader reader, long position, CancellationToken ct)
    {
        using var poll = new CancellationTokenSource(reader.Poll, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, poll.Token);
        try
        {
            await feed.Changed(position, either.Token);
        }
        catch (OperationCanceledException) when (poll.IsCancellationRequested && !ct.IsCancellationRequested)
        {
        }
    }

    private static TimeSpan GetRetryDelay(int failures) =>
        failures > 10 ? maxRetryDelay : TimeSpan.FromTicks(Math.Min(firstRetryDelay.Ticks << (failures - 1), maxRetryDelay.Ticks));

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{Function} failed on the changes after {Position}, failure {Failures} in a row; retrying the same changes in {Wait}")]
    private static partial void Failed(ILogger logger, Exception e, string function, long? position, int failures, TimeSpan wait);

    private sealed class Reader(Function function, CosmosDBTriggerAttribute trigger)
    {
        public Function Function { get; } = function;

        public string Lease { get; } = string.IsNullOrEmpty(trigger.LeaseContainerPrefix) ? function.Name : trigger.LeaseContainerPrefix;

        public int Limit { get; } = trigger.MaxItemsPerInvocation > 0 ? trigger.MaxItemsPerInvocation : DefaultBatchSize;

        public TimeSpan Poll { get; } = trigger.FeedPollDelay > 0 ? TimeSpan.FromMilliseconds(trigger.FeedPollDelay) : defaultPollDelay;

        /// <summary>Converts documents to a list of the type that the function takes.</summary>
        public Func<IReadOnlyList<object>, object> Batch { get; } = typeof(Reader)
            .GetMethod(nameof(Typed), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(function.TriggerParameter.ParameterType.GetGenericArguments())
            .CreateDelegate<Func<IReadOnlyList<object>, object>>();

        private static IReadOnlyList<T> Typed<T>(IReadOnlyList<object> documents) => documents as IReadOnlyList<T> ?? [.. documents.Cast<T>()];
    }
}
