using System.Threading.Channels;
using Microsoft.DurableTask.Converters;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Runs durable orchestrations: every step survives a crash. The engine keeps the history events of each instance in its own SQLite file. A turn of an
/// orchestrator is one transaction, and so is the result of an activity. After a crash, the next start continues from the last commit.
/// </summary>
public sealed class DurableEngine : IHostedService, IAsyncDisposable
{
    private readonly Database database;
    private readonly DurableMetrics metrics;
    private readonly ReadyQueue ready = new();
    private readonly Channel<long> calls = Channel.CreateUnbounded<long>();
    private readonly InstanceWatches watches = new();
    private readonly TurnRunner turns;
    private readonly ActivityRunner activities;
    private readonly TimerRunner timers;
    private readonly Retention retention;
    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource abort = new();
    private Task running = Task.CompletedTask;
    private bool disposed;

    private DurableEngine(
        Database database, DurableRegistry registry, DurableOptions options, TimeProvider time, ILoggerFactory loggers, IServiceProvider services)
    {
        this.database = database;
        var converter = JsonDataConverter.Default;
        var log = loggers.CreateLogger<DurableEngine>();
        metrics = new DurableMetrics(() => ready.Count, () => calls.Reader.Count);
        turns = new TurnRunner(database, registry, options, converter, time, loggers, services, metrics, ready, Dispatch);
        activities = new ActivityRunner(database, registry, options, converter, time, loggers, services, metrics, calls, Dispatch);
        timers = new TimerRunner(database, time, log, metrics, Dispatch);
        retention = new Retention(database, time, log, options.Retention);
        Client = new DurableEngineClient(database, converter, time, watches, Dispatch);
    }

    /// <summary>Client of this engine, usable as soon as it is open. Instances scheduled before <see cref="StartAsync"/> run from then on.</summary>
    public DurableEngineClient Client { get; }

    /// <summary>Opens or creates the engine's file.</summary>
    /// <param name="path">Path of the file; its folder must exist, and no other process may use it.</param>
    /// <param name="registry">The orchestrators and activities.</param>
    /// <param name="options">The limits; null for the defaults.</param>
    /// <param name="time">The clock of timers and of <c>CurrentUtcDateTime</c>.</param>
    /// <param name="loggers">Receives failures, without inputs or outputs. The loggers of orchestrators come from it, too.</param>
    /// <param name="services">Gives each execution, and each run of an activity, its own scope.</param>
    /// <exception cref="NewerDatabaseException">The file was written by a newer version of the product.</exception>
    public static DurableEngine Open(
        string path, DurableRegistry registry, DurableOptions? options, TimeProvider time, ILoggerFactory loggers, IServiceProvider services) =>
        new(Database.Open(path, Journal.Migrations, loggers.CreateLogger<Database>()), registry, options ?? new DurableOptions(), time, loggers, services);

    /// <summary>Starts the work that is on disk, and all that is added later. Called once.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var (instances, waiting) = database.Read(session => (Journal.ListReady(session), Journal.ListPendingActivities(session)));
        foreach (var id in instances) ready.Wake(id);
        foreach (var id in waiting) calls.Writer.TryWrite(id);
        running = Task.WhenAll(
            turns.Run(stop.Token),
            activities.Run(stop.Token, abort.Token),
            Task.Run(() => timers.Run(stop.Token), CancellationToken.None),
            Task.Run(() => retention.Run(stop.Token), CancellationToken.None));
        return Task.CompletedTask;
    }

    /// <summary>
    /// Starts no new work, and waits for the activities in flight. Cancelling the token cancels those that still run; they run again at the next start.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (disposed) return;
        await stop.CancelAsync();
        await using (cancellationToken.UnsafeRegister(_ => abort.Cancel(), null)) await running;
    }

    /// <summary>
    /// Closes the file and cancels clients that wait for an instance. An engine that was not stopped before is stopped without waiting for activities.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed) return;
        await StopAsync(new CancellationToken(canceled: true));
        disposed = true;
        watches.Close();
        await turns.DisposeAsync();
        metrics.Dispose();
        database.Dispose();
        stop.Dispose();
        abort.Dispose();
    }

    /// <summary>Signals the runners and the waiting clients after a commit.</summary>
    private void Dispatch(CommitSignals signals)
    {
        foreach (var id in signals.ActivityCalls) calls.Writer.TryWrite(id);
        foreach (var id in signals.ReadyInstances) ready.Wake(id);
        foreach (var id in signals.ChangedInstances) watches.Signal(id);
        timers.OnTimerAdded(signals.EarliestTimer);
    }
}
