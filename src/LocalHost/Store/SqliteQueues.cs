using System.Diagnostics.Metrics;
using System.Globalization;
using NodeStash.Core.Jobs;
using NodeStash.Core.Telemetry;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.LocalHost.Store;

/// <summary>Stores the job queues in the file. Open one instance per file: it signals the consumers that wait for messages.</summary>
public sealed class SqliteQueues : IJobQueues, IMessages, IDisposable
{
    private readonly Database database;
    private readonly TimeProvider clock;
    private readonly Meter meter = new(Instruments.Name + ".Queues");
    private readonly Lock gate = new();
    private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="database">Opened with <see cref="Schema.Open"/>.</param>
    /// <param name="clock">Decides which messages are hidden.</param>
    public SqliteQueues(Database database, TimeProvider clock)
    {
        (this.database, this.clock) = (database, clock);
        meter.CreateObservableGauge("nodestash.queue.backlog",
            () => Backlog().Select(queue => new Measurement<long>(queue.Messages, new KeyValuePair<string, object?>("queue", queue.Name))),
            description: "Messages in a queue, poison queues included");
    }

    public async ValueTask Send(string queue, string text, TimeSpan delay, CancellationToken ct)
    {
        JobQueue.EnsureWithinLimits(text);
        await database.Write(
            session => session.Execute(
                "INSERT INTO messages (queue, text, tries, visible_at, taken) VALUES (?1, ?2, 0, ?3, 0)", queue, text, TicksAfter(delay)),
            ct);
        SignalMessages();
    }

    public ValueTask Check(CancellationToken ct)
    {
        FindEarliest(JobQueue.All[0]);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<IReadOnlyList<Message>> Take(string queue, int max, TimeSpan hidden, CancellationToken ct)
    {
        var now = TicksAfter(TimeSpan.Zero);
        if (FindEarliest(queue) is not { } earliest || earliest > now) return [];
        return await database.Write(
            session =>
            {
                var taken = session.All(
                    "SELECT id, text, tries FROM messages WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at, id LIMIT ?3",
                    row => (Id: row.GetInt64(0), Text: row.GetString(1), Attempts: row.GetInt64(2) + 1),
                    queue, now, (long)max);
                foreach (var (id, _, attempts) in taken)
                    session.Execute("UPDATE messages SET tries = ?2, visible_at = ?3, taken = 1 WHERE id = ?1", id, attempts, TicksAfter(hidden));
                return taken.ConvertAll(message => new Message(Text(message.Id), Text(message.Attempts), message.Text, message.Attempts));
            },
            ct);
    }

    public async ValueTask Remove(string queue, Message message, CancellationToken ct) =>
        await database.Write(session => session.Execute("DELETE FROM messages WHERE id = ?1 AND tries = ?2", Number(message.Id), message.Attempts), ct);

    public async ValueTask Return(string queue, Message message, TimeSpan after, CancellationToken ct)
    {
        await database.Write(
            session => session.Execute(
                "UPDATE messages SET visible_at = ?3, taken = 0 WHERE id = ?1 AND tries = ?2", Number(message.Id), message.Attempts, TicksAfter(after)), ct);
        SignalMessages();
    }

    public async ValueTask Poison(string queue, Message message, CancellationToken ct)
    {
        await database.Write(
            session => session.Execute(
                "UPDATE messages SET queue = ?3, tries = 0, visible_at = ?4, taken = 0 WHERE id = ?1 AND tries = ?2",
                Number(message.Id), message.Attempts, queue + JobQueue.PoisonSuffix, TicksAfter(TimeSpan.Zero)),
            ct);
        SignalMessages();
    }

    public async Task Changed(string queue, CancellationToken ct)
    {
        while (true)
        {
            Task changed;
            lock (gate) changed = next.Task;
            if (FindEarliest(queue) is not { } earliest)
            {
                await changed.WaitAsync(ct);
                continue;
            }

            var wait = TimeSpan.FromTicks(earliest - TicksAfter(TimeSpan.Zero));
            if (wait <= TimeSpan.Zero) return;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Task.WhenAny(changed, Task.Delay(wait, clock, either.Token));
            await either.CancelAsync();
            ct.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Counts the messages of each queue, including hidden ones.</summary>
    public IReadOnlyList<(string Name, long Messages)> Backlog() =>
        database.ReadOne(session => session.All("SELECT queue, count(*) FROM messages GROUP BY queue", row => (row.GetString(0), row.GetInt64(1))));

    public void Dispose() => meter.Dispose();

    private long? FindEarliest(string queue) =>
        database.ReadOne(
            session => session.One("SELECT visible_at FROM messages WHERE queue = ?1 ORDER BY visible_at LIMIT 1", row => (long?)row.GetInt64(0), queue));

    private long TicksAfter(TimeSpan delay) => (clock.GetUtcNow() + delay).UtcTicks;

    private void SignalMessages()
    {
        lock (gate)
        {
            next.SetResult();
            next = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
