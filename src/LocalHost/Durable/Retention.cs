using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>Purges finished instances after the retention time.</summary>
internal sealed partial class Retention(Database database, TimeProvider time, ILogger log, TimeSpan retention)
{
    private const int MaxBatch = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    [SuppressMessage("Design", "CA1031", Justification = "A purge that failed is retried at the next interval.")]
    public async Task Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var before = (time.GetUtcNow() - retention).UtcTicks;
                while (await database.Write(session => Instances.PurgeOld(session, before, MaxBatch), stop) == MaxBatch)
                {
                }
            }
            catch (Exception e)
            {
                if (!stop.IsCancellationRequested) NotPurged(log, e);
            }

            await Task.Delay(Interval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Finished orchestrations could not be purged; retrying in five minutes")]
    private static partial void NotPurged(ILogger logger, Exception e);
}
