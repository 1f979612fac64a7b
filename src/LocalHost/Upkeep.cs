using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Search;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost;

/// <summary>
/// Removes expired events, deliveries, removals and answers every hour, and refreshes the statistics of the database. In Azure, times to live remove
/// expired data.
/// </summary>
internal sealed partial class Upkeep(Database database, SqliteStores stores, SqliteChangeFeed feed, SqliteDeliveryStores deliveries,
    EmbeddedSearchIndexes indexes, TimeProvider clock, ILogger<Upkeep> log) : BackgroundService
{
    private const int Batch = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var before = clock.GetUtcNow() - StoredEvent.Retention;
                while (await feed.Purge(before, Batch, stoppingToken) == Batch) await Task.Yield();
                while (await deliveries.Purge(before, Batch, stoppingToken) == Batch) await Task.Yield();
                while (await indexes.Purge(before, Batch, stoppingToken) == Batch) await Task.Yield();
                while (await stores.PurgeAnswers(Batch, stoppingToken) == Batch) await Task.Yield();
                await database.Optimize();
            }
            catch (StoreUnavailableException e)
            {
                PurgeFailed(log, e);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Expired events, deliveries and answers could not be removed; retrying in one hour")]
    private static partial void PurgeFailed(ILogger logger, Exception e);
}
