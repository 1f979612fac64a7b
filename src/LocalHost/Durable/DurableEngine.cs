using System.Threading.Channels;
using Microsoft.DurableTask.Converters;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Runs orchestrations whose every step survives a crash. State is a history of events in an SQLite file of its own; an orchestrator's
/// turn is one transaction, so is an activity's answer, and whatever was committed when the process died goes on at the next start.
/// </summary>
public sealed class DurableEngine : IHostedService, IAsyncDisposable
{
    private readonly Database database;
    private readonly DurableMetrics metrics;
    private readonly ReadyQueue ready = new();
    private readonly Channel<long> calls = Channel.CreateUnbounded<long>();
    private readonly Watches watches = new();
    private readonly Turns turns;
    private readonly Activities activities;
    private readonly Timers timers;
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
        turns = new Turns(database, registry, options, converter, time, loggers, services, metrics, ready, Follow);
        activities = new Activities(database, registry, options, converter, time, loggers, services, metrics, calls, Follow);
        timers = new Timers(database, time, log, metrics, Follow);
        retention = new Retention(database, time, log, options.Retention);
        Client = new DurableEngineClient(database, converter, time, watches, Follow);
    }

    /// <summary>Usable from the moment the engine is open; what is started before <see cref="StartAsync"/> runs from then on.</summary>
    public DurableEngineClient Client { get; }

    /// <summary>Opens or creates the engine's file.</summary>
    /// <param name="path">The file; its folder must exist, and no other process may use it.</param>
    /// <param name="registry">What can be run.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="time">The clock of timers and of <c>CurrentUtcDateTime</c>.</param>
    /// <param name="loggers">Told of failures, without inputs or outputs; orchestrators' own loggers come from here too.</param>
    /// <param name="services">Each execution and each run of an activity gets a scope of its own.</param>
    /// <exception cref="NewerDatabaseException">The file was written by a newer version of the product.</exception>
    public static DurableEngine Open(
        string path, DurableRegistry registry, DurableOptions? options, TimeProvider time, ILoggerFactory loggers, IServiceProvider services) =>
        new(Database.Open(path, Journal.Migrations, loggers.CreateLogger<Database>()), registry, options ?? new DurableOptions(), time, loggers, services);

    /// <summary>Takes up the work that is on disk, and whatever comes. Called once.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var (instances, waiting) = database.Read(session => (Journal.Ready(session), Journal.WaitingActivities(session)));
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
    /// Takes up nothing new and waits for the activities under way. Those still running when the token is cancelled are told so and run again at the
    /// next start.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (disposed) return;
        await stop.CancelAsync();
        await using (cancellationToken.UnsafeRegister(_ => abort.Cancel(), null)) await running;
    }

    /// <summary>
    /// Stops without waiting for activities, if it was not stopped before, and closes the file. Clients that wait for an instance are cancelled.
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

    private void Follow(Aftermath aftermath)
    {
        foreach (var id in aftermath.Activities) calls.Writer.TryWrite(id);
        foreach (var id in aftermath.Wake) ready.Wake(id);
        foreach (var id in aftermath.Changed) watches.Signal(id);
        timers.Added(aftermath.FirstTimer);
    }
}
