using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;
using NodeStash.CosmosStandIn;
using NodeStash.Support.Contracts.Storage;

namespace NodeStash.Azure.Tests.Cosmos;

/// <summary>The contract on a bad day, among processes that see each other's writes late: what callers who try again see is the same.</summary>
public sealed class CosmosDeliveryStoreUnderFaultsTests : DeliveryStoreContract, IAsyncLifetime
{
    private readonly DeliveriesStandIn standIn = new(lag: 5);
    private readonly List<CosmosClient> others = [];
    private int opened;

    protected override IDeliveryStores Stores => new Patient(DeliveriesStandIn.Open(standIn.Client));

    protected override IDeliveryStores StoresOfAnotherProcess => new Patient(DeliveriesStandIn.Open(others[Interlocked.Increment(ref opened) % others.Count]));

    public async ValueTask InitializeAsync()
    {
        await standIn.InitializeAsync();
        others.AddRange([standIn.Account.Connect(), standIn.Account.Connect(), standIn.Account.Connect()]);
        Fault[] errors = [Fault.TooManyRequests, Fault.RetryWith, Fault.ServiceUnavailable, Fault.TimeoutBefore, Fault.TimeoutAfter, Fault.DisconnectBefore,
            Fault.DisconnectAfter, Fault.ShortPage, Fault.EmptyPage];
        foreach (var problem in errors) standIn.Account.Faults.Sometimes(problem, 0.02, new Random((int)problem));
    }

    public ValueTask DisposeAsync()
    {
        foreach (var other in others) other.Dispose();
        return standIn.DisposeAsync();
    }

    /// <summary>Tries again what could not be done, as the feed and the orchestrations do.</summary>
    private sealed class Patient(IDeliveryStores stores) : IDeliveryStores
    {
        public IDeliveryStore Open(Partition partition) => new PatientStore(stores.Open(partition));
    }

    private sealed class PatientStore(IDeliveryStore store) : IDeliveryStore
    {
        public Partition Partition => store.Partition;

        public async ValueTask Add(IReadOnlyCollection<Delivery> deliveries, DateTimeOffset now, CancellationToken ct) => await Done(async () =>
        {
            await store.Add(deliveries, now, ct);
            return true;
        });

        public ValueTask<Worker?> GetWorker(string webhookId, DateTimeOffset now, CancellationToken ct) => Done(() => store.GetWorker(webhookId, now, ct));

        public async ValueTask Release(string webhookId, string holder, CancellationToken ct) => await Done(async () =>
        {
            await store.Release(webhookId, holder, ct);
            return true;
        });

        public ValueTask<DueDeliveries> AcquireDue(
            string webhookId, string holder, DateTimeOffset now, DateTimeOffset until, int limit, CancellationToken ct) =>
            Done(() => store.AcquireDue(webhookId, holder, now, until, limit, ct));

        public ValueTask<IReadOnlyList<RecordedAttempt>> RecordAttempts(string webhookId, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct) =>
            Done(() => store.RecordAttempts(webhookId, attempts, ct));

        public async ValueTask Defer(IReadOnlyCollection<(string DeliveryId, int Number)> attempts, DateTimeOffset until, CancellationToken ct) =>
            await Done(async () =>
        {
            await store.Defer(attempts, until, ct);
            return true;
        });

        public ValueTask<int> Reopen(
            IReadOnlyCollection<string> deliveryIds, IReadOnlyCollection<DeliveryStatus> statuses, DateTimeOffset now, CancellationToken ct) =>
            Done(() => store.Reopen(deliveryIds, statuses, now, ct));

        public ValueTask<int> Finalize(string webhookId, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct) =>
            Done(() => store.Finalize(webhookId, status, asOf, ct));

        public ValueTask<Delivery?> Find(string deliveryId, CancellationToken ct) => Done(() => store.Find(deliveryId, ct));

        public ValueTask<IReadOnlyList<Delivery>> List(string webhookId, DeliveryStatus? status, string? before, int limit, CancellationToken ct) =>
            Done(() => store.List(webhookId, status, before, limit, ct));

        public ValueTask<IReadOnlyList<Delivery>> ListFailed(string webhookId, string after, int limit, CancellationToken ct) =>
            Done(() => store.ListFailed(webhookId, after, limit, ct));

        private static async ValueTask<T> Done<T>(Func<ValueTask<T>> call)
        {
            while (true)
            {
                try
                {
                    return await call();
                }
                catch (StoreUnavailableException)
                {
                    await Task.Yield();
                }
            }
        }
    }
}
