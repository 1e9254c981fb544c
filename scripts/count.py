#!/usr/bin/env python3
"""Count what health-data files hold, the plain way: load each file whole, with the standard library only.

It shares no code and no method with the Rust readers, so that the two can be compared. Prints one JSON object:
{"files": {path: {"studies": n, ...}}, "totals": {...}}.

usage: count.py PATH...        files, or directories to be searched
"""
import gzip
import json
import os
import sys
import xml.etree.ElementTree as ElementTree
import zipfile

KEYS = ("studies", "locations", "articles", "authors", "mesh_headings", "references", "deleted",
        "applications", "labels", "events", "products")


def texts(path):
    """The decompressed content of a file, or of each member of a zip file."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    yield archive.read(name)
        return
    with open(path, "rb") as file:
        data = file.read()
    yield gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def count_xml(data, totals):
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError:
        return
    if root.tag not in ("PubmedArticleSet", "PubmedBookArticleSet"):
        return
    for article in root.findall("PubmedArticle"):
        totals["articles"] += 1
        totals["authors"] += len(article.findall("MedlineCitation/Article/AuthorList/Author"))
        totals["mesh_headings"] += len(article.findall("MedlineCitation/MeshHeadingList/MeshHeading"))
        for data_element in article.findall("PubmedData"):
            totals["references"] += sum(1 for _ in data_element.iter("Reference"))
    for book in root.findall("PubmedBookArticle"):
        totals["articles"] += 1
        totals["authors"] += len(book.findall("BookDocument/AuthorList/Author"))
        totals["authors"] += len(book.findall("BookDocument/Book/AuthorList/Author"))
        totals["references"] += sum(1 for _ in book.iter("Reference"))
    totals["deleted"] += len(root.findall("DeleteCitation/PMID"))


def json_records(text):
    """Every object of a file that might be a record."""
    try:
        documents = [json.loads(text)]
    except json.JSONDecodeError:
        try:
            documents = [json.loads(line) for line in text.splitlines() if line.strip()]
        except json.JSONDecodeError:
            return
    for document in documents:
        if isinstance(document, dict):
            for key in ("studies", "results"):
                if isinstance(document.get(key), list):
                    document = document[key]
                    break
        for record in document if isinstance(document, list) else [document]:
            if isinstance(record, dict):
                yield record


def count_json(text, totals):
    for record in json_records(text):
        protocol = record.get("protocolSection")
        if protocol is not None:
            # A converter of R wraps every value in a list; such a file is not the registry's format.
            if isinstance(protocol["identificationModule"]["nctId"], str):
                totals["studies"] += 1
                totals["locations"] += len(protocol.get("contactsLocationsModule", {}).get("locations", []))
        elif "safetyreportid" in record:
            totals["events"] += 1
        elif "spl_product_ndc" in record:
            pass
        elif "product_ndc" in record:
            totals["products"] += 1
        elif "application_number" in record and ("products" in record or "submissions" in record):
            totals["applications"] += 1
            totals["products"] += len(record.get("products", []))
        elif "set_id" in record or ("id" in record and "effective_time" in record):
            totals["labels"] += 1


def count_file(path):
    totals = dict.fromkeys(KEYS, 0)
    for data in texts(path):
        start = data[:3].replace(b"\xef\xbb\xbf", b"") + data[3:64]
        start = start.lstrip()[:1]
        if start == b"<":
            count_xml(data, totals)
        elif start in (b"{", b"["):
            count_json(data.decode("utf-8-sig"), totals)
    return totals


def find(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for folder, _, names in os.walk(path):
            for name in names:
                yield os.path.join(folder, name)


def main(paths):
    files = {path: count_file(path) for path in sorted(find(paths))}
    totals = {key: sum(counts[key] for counts in files.values()) for key in KEYS}
    json.dump({"files": files, "totals": totals}, sys.stdout)
    print()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    main(sys.argv[1:])
