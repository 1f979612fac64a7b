using System.Globalization;
using Bogus;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;

namespace NodeStash.Bench;

/// <summary>A contact as somebody might have it in their address book.</summary>
internal sealed record Person(string Id, string First, string Last, string Email, string Phone, string Title)
{
    /// <summary>What the index is told of it, by way of a record, as the product does it.</summary>
    public SearchChange Change()
    {
        var record = Record.New(Contact.Schema, Id, DateTimeOffset.UnixEpoch);
        record[Contact.FirstName] = First;
        record[Contact.LastName] = Last;
        record[Contact.Email] = Email;
        record[Contact.Phone] = Phone;
        record[Contact.Title] = Title;
        return SearchChange.Of(record.Store());
    }
}

/// <summary>Names of several countries, made by Bogus, always the same ones.</summary>
internal static class People
{
    private static readonly string[] Locales = ["en", "en", "en", "de", "fr", "es", "it", "pl", "nl", "sv", "pt_BR", "cz"];

    public static List<Person> Make(int count, int seed)
    {
        var fakers = Locales.Select((locale, i) => new Faker(locale) { Random = new Randomizer(seed + i) }).ToList();
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var faker = fakers[i % fakers.Count];
            var (first, last) = (faker.Name.FirstName(), faker.Name.LastName());
            return new Person("ct_" + i.ToString("D20", CultureInfo.InvariantCulture), first, last, faker.Internet.Email(first, last),
                faker.Phone.PhoneNumber(), faker.Name.JobTitle());
        })];
    }
}

/// <summary>Mistypes words.</summary>
internal sealed class Mistyping(Random random)
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz";

    /// <summary>A word so many edits off, and not fewer.</summary>
    public string Of(string word, int edits)
    {
        while (true)
        {
            var typed = word;
            for (var i = 0; i < edits; i++) typed = Once(typed);
            if (Typos.Distance(typed, word, edits) == edits && Typos.Allowed(typed) >= edits) return typed;
        }
    }

    private string Once(string word)
    {
        var at = random.Next(word.Length);
        return random.Next(4) switch
        {
            0 => word.Remove(at, 1),
            1 => word.Insert(at, Letter()),
            2 when at > 0 => word[..(at - 1)] + word[at] + word[at - 1] + word[(at + 1)..],
            _ => word[..at] + Letter() + word[(at + 1)..],
        };
    }

    private string Letter() => Letters[random.Next(Letters.Length)].ToString();
}
