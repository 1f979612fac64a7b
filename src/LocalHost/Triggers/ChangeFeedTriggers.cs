using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NodeStash.LocalHost.Triggers;

/// <summary>
/// Runs the change feed functions. Each has a lease of its own (its prefix, or its name) that moves on only after the function has
/// returned: every change is seen at least once and in order. A function that throws is given the same batch again, for as long as it
/// takes, without holding up the others.
/// </summary>
/// <remarks>
/// A new lease always starts at the first change, whatever <see cref="CosmosDBTriggerAttribute.StartFromBeginning"/> says: a "now" taken
/// while the process starts would lose what was committed before it was taken. Which database, container and connection the trigger
/// names does not matter: there is one feed.
/// </remarks>
public sealed partial class ChangeFeedTriggers : BackgroundService
{
    private const int DefaultBatch = 100;

    private static readonly TimeSpan defaultPoll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan gathering = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan firstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan longestRetry = TimeSpan.FromSeconds(30);

    private readonly List<Reader> readers;
    private readonly IChangeFeed feed;
    private readonly IServiceScopeFactory scopes;
    private readonly TimeProvider clock;
    private readonly ILogger<ChangeFeedTriggers> log;

    /// <exception cref="InvalidFunctionsException">Two functions share a lease: each would miss what the other has seen.</exception>
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
        Task.WhenAll(readers.Select(reader => Task.Run(() => Follow(reader, stoppingToken), CancellationToken.None)));

    [SuppressMessage("Design", "CA1031", Justification = "A function may throw anything; it is logged and tried again.")]
    private async Task Follow(Reader reader, CancellationToken ct)
    {
        long? position = null;
        var failures = 0;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                position ??= await feed.Checkpoint(reader.Lease, ct);
                var (reached, isFull) = await Step(reader, position.Value, ct);
                position = reached;
                failures = 0;
                if (isFull) continue;

                // Changes in quick succession are one batch and one write of the lease, not as many as there are commits.
                await Task.Delay(gathering, TimeProvider.System, ct);
                await Wait(reader, reached, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                var wait = RetryAfter(++failures);
                Failed(log, e, reader.Function.Name, position, failures, wait);
                await Task.Delay(wait, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>One batch. Answers how far the lease is now, and whether there is likely more.</summary>
    private async Task<(long Reached, bool IsFull)> Step(Reader reader, long position, CancellationToken ct)
    {
        var page = await feed.Read(position, reader.Limit, ct);
        if (page.Documents.Count > 0)
        {
            await using var scope = scopes.CreateAsyncScope();
            await reader.Function.Run(scope.ServiceProvider, reader.Batch(page.Documents), ct);
        }

        // The batch is done: that is remembered even if the process was asked to stop meanwhile.
        if (page.Position > position) await feed.Advance(reader.Lease, page.Position, CancellationToken.None);
        return (page.Position, page.Documents.Count >= reader.Limit);
    }

    private async Task Wait(Reader reader, long position, CancellationToken ct)
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

    private static TimeSpan RetryAfter(int failures) =>
        failures > 10 ? longestRetry : TimeSpan.FromTicks(Math.Min(firstRetry.Ticks << (failures - 1), longestRetry.Ticks));

    [LoggerMessage(Level = LogLevel.Error, Message = "{Function} failed on the changes after {Position} for the {Failures}. time; the same again in {Wait}")]
    private static partial void Failed(ILogger logger, Exception e, string function, long? position, int failures, TimeSpan wait);

    private sealed class Reader(Function function, CosmosDBTriggerAttribute trigger)
    {
        public Function Function { get; } = function;

        public string Lease { get; } = string.IsNullOrEmpty(trigger.LeaseContainerPrefix) ? function.Name : trigger.LeaseContainerPrefix;

        public int Limit { get; } = trigger.MaxItemsPerInvocation > 0 ? trigger.MaxItemsPerInvocation : DefaultBatch;

        public TimeSpan Poll { get; } = trigger.FeedPollDelay > 0 ? TimeSpan.FromMilliseconds(trigger.FeedPollDelay) : defaultPoll;

        /// <summary>The documents as a list of the type the function takes.</summary>
        public Func<IReadOnlyList<object>, object> Batch { get; } = typeof(Reader)
            .GetMethod(nameof(Typed), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(function.TriggerParameter.ParameterType.GetGenericArguments())
            .CreateDelegate<Func<IReadOnlyList<object>, object>>();

        private static IReadOnlyList<T> Typed<T>(IReadOnlyList<object> documents) => documents as IReadOnlyList<T> ?? [.. documents.Cast<T>()];
    }
}
