using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.LocalHost;
using NodeStash.LocalHost.Store;

namespace NodeStash.Bench;

/// <summary>
/// Contacts and their companies, put into the product's database through the store's port: no events, or the feed would work them off while we
/// measure.
/// </summary>
/// <param name="Key">The API key.</param>
/// <param name="Contacts">Their ids.</param>
/// <param name="Companies">Their ids.</param>
internal sealed record Seed(string Key, IReadOnlyList<string> Contacts, IReadOnlyList<string> Companies)
{
    private const int ContactsPerCompany = 100;

    /// <summary>An insert and a unique key each.</summary>
    private const int ContactsPerCommit = Commit.MaxOperations / 2;

    private const int CommitsAtOnce = 20;

    /// <param name="data">The product's folder.</param>
    /// <param name="size">How many contacts.</param>
    /// <param name="copy">Given each contact, for the other side; null for nobody.</param>
    public static async Task<Seed> Into(string data, int size, Action<StoredRecord>? copy)
    {
        await using var host = await CrmHost.Start(new HostSettings { Data = data, Urls = "http://127.0.0.1:0", Quiet = true }, CancellationToken.None);
        var workspace = host.Services.GetRequiredService<SqliteAccessStore>().FirstWorkspace()!;
        var store = host.Services.GetRequiredService<IWorkspaceStores>().Open(new Partition(workspace.Id, WorkspaceEnvironment.Live));
        var (ids, clock) = (new Ids(TimeProvider.System), TimeProvider.System.GetUtcNow().AddSeconds(-size));

        var companies = Enumerable.Range(0, Math.Max(1, size / ContactsPerCompany)).Select(i => Company(ids, clock, i)).ToList();
        foreach (var some in companies.Chunk(Commit.MaxOperations)) await Store(store, new Commit { Writes = [.. some.Select(Insert)] });
        var companyIds = companies.ConvertAll(company => company.Id);

        var contactIds = new List<string>(size);
        foreach (var some in Enumerable.Range(0, size).Chunk(ContactsPerCommit * CommitsAtOnce))
        {
            var contacts = some.Select(i => Contact(ids, clock.AddSeconds(i), i, companyIds[i % companyIds.Count])).ToList();
            contactIds.AddRange(contacts.Select(contact => contact.Id));
            contacts.ForEach(contact => copy?.Invoke(contact.Store()));
            await Task.WhenAll(
                contacts.Chunk(ContactsPerCommit).Select(few => Store(store, new Commit { Writes = [.. few.Select(Insert), .. few.Select(Reserve)] })));
        }

        return new Seed(host.ApiKey, contactIds, companyIds);
    }

    private static async Task Store(IWorkspaceStore store, Commit commit)
    {
        var outcome = await store.Commit(commit, CancellationToken.None);
        if (outcome.Result is not CommitResult.Done) throw new InvalidOperationException($"a commit of the seed ended {outcome}");
    }

    private static Write Insert(Record record) => new Write.Insert(record.Store(), record.Keys());

    private static Write Reserve(Record contact) => new Write.Reserve(contact.Schema.Uniques[0].KeyOf(contact)!, contact.Id);

    private static Record Company(Ids ids, DateTimeOffset now, int number)
    {
        var company = Record.New(Core.Resources.Company.Schema, ids.New(Core.Resources.Company.Schema.Prefix), now);
        company[company.Schema.Find("name")!] = "Company " + Text(number);
        return company;
    }

    private static Record Contact(Ids ids, DateTimeOffset now, int number, string company)
    {
        var contact = Record.New(Core.Resources.Contact.Schema, ids.New(Core.Resources.Contact.Schema.Prefix), now);
        contact[Core.Resources.Contact.FirstName] = "Jane";
        contact[Core.Resources.Contact.LastName] = "Doe " + Text(number);
        contact[Core.Resources.Contact.Email] = $"jane.{Text(number)}@example.com";
        contact[Core.Resources.Contact.Phone] = "+1 555 0100";
        contact[Core.Resources.Contact.CompanyId] = company;
        contact[Core.Resources.Contact.Title] = "Director";
        contact[Core.Resources.Contact.Source] = "website";
        return contact;
    }

    private static string Text(int number) => number.ToString("D7", CultureInfo.InvariantCulture);
}
