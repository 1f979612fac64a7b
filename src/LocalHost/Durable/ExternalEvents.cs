using System.Diagnostics.CodeAnalysis;
using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Matches the external events of one execution with the tasks that wait for them, by name. Events that arrive early are kept, and received oldest
/// first. If several tasks wait for a name, the latest receives the next event.
/// </summary>
internal sealed class ExternalEvents(DataConverter converter)
{
    private readonly Dictionary<string, List<Waiter>> waiters = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Queue<HistoryEvent>> unreceived = new(StringComparer.OrdinalIgnoreCase);

    public bool HasWaiters => waiters.Values.Any(list => list.Count > 0);

    /// <summary>Numbers of the events that no task has received, in order.</summary>
    public IReadOnlyList<long> Unreceived => [.. unreceived.Values.SelectMany(queue => queue).Select(received => received.Seq).Order()];

    public void Process(HistoryEvent received)
    {
        if (waiters.TryGetValue(received.Name!, out var list) && list.Count > 0)
        {
            var last = list[^1];
            list.RemoveAt(list.Count - 1);
            last.Complete(received, converter);
        }
        else
        {
            if (!unreceived.TryGetValue(received.Name!, out var queue)) unreceived.Add(received.Name!, queue = new Queue<HistoryEvent>());
            queue.Enqueue(received);
        }
    }

    public Waiter<T> Wait<T>(string name)
    {
        if (!waiters.TryGetValue(name, out var list)) waiters.Add(name, list = []);
        if (list.Count > 0 && list[^1] is not Waiter<T>)
        {
            throw new ArgumentException(
                $"Another task waits for the event '{name}' as a type other than {typeof(T)}; wait for it as the same type.", nameof(name));
        }


        var wait = new Waiter<T>(list);
        if (unreceived.TryGetValue(name, out var queue) && queue.TryDequeue(out var received)) wait.Complete(received, converter);
        else list.Add(wait);
        return wait;
    }

    internal abstract class Waiter
    {
        public abstract void Complete(HistoryEvent received, DataConverter converter);
    }

    internal sealed class Waiter<T>(List<Waiter> list) : Waiter
    {
        private readonly TaskCompletionSource<T> completion = new();

        public Task<T> Task => completion.Task;

        [SuppressMessage("Design", "CA1031", Justification = "The orchestrator handles an event that cannot be read.")]
        public override void Complete(HistoryEvent received, DataConverter converter)
        {
            T? payload;
            try
            {
                payload = converter.Read<T>(received.Payload);
            }
            catch (Exception e)
            {
                completion.SetException(e);
                return;
            }

            completion.SetResult(payload!);
        }

        /// <summary>Stops waiting, so that another task receives the next event.</summary>
        public void Cancel(CancellationToken ct)
        {
            list.Remove(this);
            completion.TrySetCanceled(ct);
        }
    }
}
